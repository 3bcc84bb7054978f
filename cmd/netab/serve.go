package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"netab/analysis"
	"netab/analysis/report/html"
	"netab/results"
)

func newServe() *cobra.Command {
	var listen string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Show the store in a browser on this machine",
		Long: `Serve the page of netab results --html, and the report of every run in it, made of
its record when it is asked for. Only loopback addresses are listened on, to which
everyone on this machine has access; from another one, take ssh -L. Nothing can be
changed through it. It ends at Ctrl-C.`,
		Example: `  netab serve
  netab serve --listen 127.0.0.1:8080`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := loopbackAddress(listen)
			if err != nil {
				return usage(err)
			}
			return failed(serve(cmd, at))
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "loopback `ADDRESS:PORT`; port 0 takes a free one")
	return cmd
}

// loopbackAddress refuses what others can reach: a store tells of the house.
func loopbackAddress(text string) (netip.AddrPort, error) {
	at, err := netip.ParseAddrPort(strings.Replace(text, "localhost:", "127.0.0.1:", 1))
	if err != nil || !at.Addr().IsLoopback() {
		return netip.AddrPort{}, fmt.Errorf("--listen %s: want a loopback address and a port, such as 127.0.0.1:8080 or [::1]:8080", text)
	}
	return at, nil
}

// serve answers until the command is interrupted.
func serve(cmd *cobra.Command, at netip.AddrPort) error {
	if _, err := results.Open(storeFlag(cmd)); err != nil {
		return err
	}
	socket, err := net.Listen("tcp", at.String())
	if errors.Is(err, syscall.EADDRINUSE) {
		err = fmt.Errorf("%w: another program has this port; --listen %s takes a free one", err, netip.AddrPortFrom(at.Addr(), 0))
	}
	if err != nil {
		return err
	}
	server := &http.Server{Handler: &storeServer{cmd: cmd}, ReadTimeout: 10 * time.Second, WriteTimeout: 2 * time.Minute, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: log.New(cmd.ErrOrStderr(), "netab: ", 0)}
	writef(cmd.OutOrStdout(), "http://%s/\n", socket.Addr())
	ended := context.AfterFunc(cmd.Context(), func() { _ = server.Close() }) // what is being read can be asked for again
	defer ended()
	if err := server.Serve(socket); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// A storeServer makes one page at a time: judging takes all CPUs as it is.
type storeServer struct {
	cmd *cobra.Command
	mu  sync.Mutex
}

// reportsPath is where reports are, by the id of the run.
const reportsPath = "/report/"

func (s *storeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
	w.Header().Set("X-Frame-Options", "DENY")
	switch {
	case !ownHost(r.Host):
		// A page of elsewhere whose name is made to point here would else read the store.
		http.Error(w, "this address is not netab's", http.StatusForbidden)
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "nothing can be changed here", http.StatusMethodNotAllowed)
		return
	}
	var page bytes.Buffer
	switch found, err := s.page(&page, r.URL.Path); {
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	case !found:
		http.Error(w, "there is no such page, or no such run any more", http.StatusNotFound)
	default:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.Copy(w, &page) // who has gone has seen enough
	}
}

// ownHost says whether a request names this machine by a name that nobody else has.
func ownHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// page writes what stands at a path; not found is no error.
func (s *storeServer) page(w io.Writer, path string) (found bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, report := strings.CutPrefix(path, reportsPath)
	if !report && path != "/" {
		return false, nil
	}
	store, index, err := readIndex(s.cmd)
	if err != nil {
		return false, err
	}
	if !report {
		return true, html.Store(w, overviewOf(store, index), func(run string) string {
			return (&url.URL{Path: reportsPath + run}).EscapedPath()
		})
	}
	for i := range index.Runs {
		if d := &index.Runs[i]; d.ID == id { // so nothing but a run of the store is ever read
			run, err := results.ReadFile(store.FileOf(id))
			if err != nil {
				return true, err
			}
			return true, html.Runs(w, html.Input{Runs: []*results.Run{run}, Summaries: []analysis.Summary{judged(s.cmd, run, false)}})
		}
	}
	return false, nil
}
