package uring

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"netab/test/need"
)

// layout is our structs and numbers as a C expression and its value; the values
// are also written out, for machines without a C compiler or the header.
var layout = []struct {
	c          string
	ours, want uintptr
}{
	{"sizeof(struct io_uring_params)", unsafe.Sizeof(setupParams{}), 120},
	{"offsetof(struct io_uring_params, cq_entries)", unsafe.Offsetof(setupParams{}.cqEntries), 4},
	{"offsetof(struct io_uring_params, flags)", unsafe.Offsetof(setupParams{}.flags), 8},
	{"offsetof(struct io_uring_params, sq_off)", unsafe.Offsetof(setupParams{}.sq), 40},
	{"offsetof(struct io_uring_params, cq_off)", unsafe.Offsetof(setupParams{}.cq), 80},
	{"sizeof(struct io_sqring_offsets)", unsafe.Sizeof(sqOffsets{}), 40},
	{"offsetof(struct io_sqring_offsets, tail)", unsafe.Offsetof(sqOffsets{}.tail), 4},
	{"offsetof(struct io_sqring_offsets, array)", unsafe.Offsetof(sqOffsets{}.array), 24},
	{"sizeof(struct io_cqring_offsets)", unsafe.Sizeof(cqOffsets{}), 40},
	{"offsetof(struct io_cqring_offsets, tail)", unsafe.Offsetof(cqOffsets{}.tail), 4},
	{"offsetof(struct io_cqring_offsets, cqes)", unsafe.Offsetof(cqOffsets{}.cqes), 20},
	{"sizeof(struct io_uring_sqe)", unsafe.Sizeof(sqe{}), 64},
	{"offsetof(struct io_uring_sqe, flags)", unsafe.Offsetof(sqe{}.flags), 1},
	{"offsetof(struct io_uring_sqe, ioprio)", unsafe.Offsetof(sqe{}.ioprio), 2},
	{"offsetof(struct io_uring_sqe, fd)", unsafe.Offsetof(sqe{}.fd), 4},
	{"offsetof(struct io_uring_sqe, off)", unsafe.Offsetof(sqe{}.offset), 8},
	{"offsetof(struct io_uring_sqe, addr)", unsafe.Offsetof(sqe{}.address), 16},
	{"offsetof(struct io_uring_sqe, len)", unsafe.Offsetof(sqe{}.length), 24},
	{"offsetof(struct io_uring_sqe, msg_flags)", unsafe.Offsetof(sqe{}.opFlags), 28},
	{"offsetof(struct io_uring_sqe, poll32_events)", unsafe.Offsetof(sqe{}.opFlags), 28},
	{"offsetof(struct io_uring_sqe, user_data)", unsafe.Offsetof(sqe{}.userData), 32},
	{"offsetof(struct io_uring_sqe, buf_index)", unsafe.Offsetof(sqe{}.buffer), 40},
	{"offsetof(struct io_uring_sqe, buf_group)", unsafe.Offsetof(sqe{}.buffer), 40},
	{"sizeof(struct io_uring_cqe)", unsafe.Sizeof(cqe{}), 16},
	{"offsetof(struct io_uring_cqe, res)", unsafe.Offsetof(cqe{}.result), 8},
	{"offsetof(struct io_uring_cqe, flags)", unsafe.Offsetof(cqe{}.flags), 12},
	{"sizeof(struct io_uring_buf)", unsafe.Sizeof(bufferEntry{}), 16},
	{"offsetof(struct io_uring_buf, len)", unsafe.Offsetof(bufferEntry{}.length), 8},
	{"offsetof(struct io_uring_buf, bid)", unsafe.Offsetof(bufferEntry{}.id), 12},
	{"offsetof(struct io_uring_buf_ring, tail)", unsafe.Offsetof(bufferEntry{}.tail), 14},
	{"sizeof(struct io_uring_buf_reg)", unsafe.Sizeof(bufferRegistration{}), 40},
	{"offsetof(struct io_uring_buf_reg, ring_entries)", unsafe.Offsetof(bufferRegistration{}.ringEntries), 8},
	{"offsetof(struct io_uring_buf_reg, bgid)", unsafe.Offsetof(bufferRegistration{}.group), 12},
	{"offsetof(struct io_uring_probe, ops)", unsafe.Offsetof(opProbe{}.ops), 16},
	{"sizeof(struct io_uring_probe_op)", unsafe.Sizeof(opSupport{}), 8},
	{"offsetof(struct io_uring_probe_op, flags)", unsafe.Offsetof(opSupport{}.flags), 2},
	{"sizeof(struct io_uring_sync_cancel_reg)", unsafe.Sizeof(syncCancel{}), 64},
	{"offsetof(struct io_uring_sync_cancel_reg, flags)", unsafe.Offsetof(syncCancel{}.flags), 12},
	{"offsetof(struct io_uring_sync_cancel_reg, timeout)", unsafe.Offsetof(syncCancel{}.seconds), 16},
	{"sizeof(struct io_uring_getevents_arg)", unsafe.Sizeof(waitArgument{}), 24},
	{"offsetof(struct io_uring_getevents_arg, ts)", unsafe.Offsetof(waitArgument{}.timeout), 16},

	{"IORING_SETUP_CQSIZE", setupCQSize, 8},
	{"IORING_SETUP_R_DISABLED", setupDisabled, 64},
	{"IORING_SETUP_SUBMIT_ALL", setupSubmitAll, 128},
	{"IORING_SETUP_SINGLE_ISSUER", setupSingleIssuer, 4096},
	{"IORING_SETUP_DEFER_TASKRUN", setupDeferTasks, 8192},
	{"IORING_OFF_SQ_RING", offsetRings, 0},
	{"IORING_OFF_SQES", offsetSQEs, 0x10000000},
	{"IORING_ENTER_GETEVENTS", enterGetEvents, 1},
	{"IORING_ENTER_EXT_ARG", enterExtArgument, 8},
	{"IORING_REGISTER_BUFFERS", registerBuffers, 0},
	{"IORING_REGISTER_PROBE", registerProbe, 8},
	{"IORING_REGISTER_ENABLE_RINGS", registerEnableRings, 12},
	{"IORING_REGISTER_PBUF_RING", registerBufferRing, 22},
	{"IORING_REGISTER_SYNC_CANCEL", registerSyncCancel, 24},
	{"IORING_ASYNC_CANCEL_ALL", cancelAll, 1},
	{"IORING_ASYNC_CANCEL_ANY", cancelAny, 4},
	{"IORING_OP_POLL_ADD", opPoll, 6},
	{"IORING_OP_SEND", opSend, 26},
	{"IORING_OP_RECV", opReceive, 27},
	{"IORING_OP_SEND_ZC", opSendZeroCopy, 47},
	{"IO_URING_OP_SUPPORTED", opSupported, 1},
	{"IOSQE_IO_LINK", sqeLink, 4},
	{"IOSQE_BUFFER_SELECT", sqeSelectBuffer, 32},
	{"IORING_RECV_MULTISHOT", receiveMultishot, 2},
	{"IORING_RECVSEND_FIXED_BUF", fixedBuffer, 4},
	{"IORING_SEND_ZC_REPORT_USAGE", reportUsage, 8},
	{"IORING_CQE_F_BUFFER", completionBuffer, 1},
	{"IORING_CQE_F_MORE", completionMore, 2},
	{"IORING_CQE_F_NOTIF", completionNotice, 8},
	{"IORING_NOTIF_USAGE_ZC_COPIED", usageCopied, 1 << 31},
}

func TestLayout(t *testing.T) {
	for _, l := range layout {
		if l.ours != l.want {
			t.Errorf("%s is %d, want %d", l.c, l.ours, l.want)
		}
	}
}

// TestLayoutAgainstHeader has a C compiler print the same from the header.
func TestLayoutAgainstHeader(t *testing.T) {
	cc := need.Program(t, "cc")
	const header = "/usr/include/linux/io_uring.h"
	text, err := os.ReadFile(header)
	if err != nil || !strings.Contains(string(text), "IORING_SEND_ZC_REPORT_USAGE") {
		need.Missing(t, header+" of Linux 6.1 or newer", "install linux-libc-dev")
	}
	dir := t.TempDir()
	source, program := filepath.Join(dir, "layout.c"), filepath.Join(dir, "layout")
	c, want := "#include <stddef.h>\n#include <stdio.h>\n#include <linux/io_uring.h>\nint main(void) {\n", ""
	for _, l := range layout {
		c += fmt.Sprintf("printf(\"%%s %%llu\\n\", %q, (unsigned long long)(%s));\n", l.c, l.c)
		want += fmt.Sprintf("%s %d\n", l.c, l.ours)
	}
	must(t, os.WriteFile(source, []byte(c+"return 0; }\n"), 0o600))
	if out, err := exec.Command(cc, "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got, err := exec.Command(program).Output()
	must(t, err)
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-ours +the header's)\n%s", diff)
	}
}
