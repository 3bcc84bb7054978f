package verify

// A stream is a place in the bytes of a flow: the pattern of the flow, or of
// its first period bytes, again and again.
type stream struct {
	key    uint64
	period int64 // 0 = the pattern never repeats
	at     int64 // offset in the period
	done   int64 // bytes before the place
}

// span is how many of n bytes from at are within one period.
//
//go:nosplit
func (s *stream) span(at int64, n int) int {
	if s.period > 0 && s.period-at < int64(n) {
		return int(s.period - at)
	}
	return n
}

// after is the place n bytes, at most to the period's end, behind at.
//
//go:nosplit
func (s *stream) after(at int64, n int) int64 {
	at += int64(n)
	if at == s.period {
		return 0
	}
	return at
}

// Reset goes back to the beginning, for a new connection.
//
//go:nosplit
func (s *stream) Reset() { s.at, s.done = 0, 0 }

// A StreamStamper fills the buffers of a flow's source.
type StreamStamper struct{ stream }

// NewStreamStamper returns the stamper of a flow. With a period the bytes
// repeat after so many: a source that sends the same memory again and again
// (sendfile, splice, zerocopy, whose pages may still be in flight) fills it once.
// A loss of whole periods is not found then. 0 = no period.
func NewStreamStamper(flow int, period int64) *StreamStamper {
	return &StreamStamper{stream{key: streamKey(flow), period: period}}
}

// Fill writes the bytes that come next. It does not advance: the kernel may
// take fewer.
//
//go:nosplit
func (s *StreamStamper) Fill(buf []byte) {
	for at := s.at; len(buf) > 0; {
		n := s.span(at, len(buf))
		fill(buf[:n], s.key, at)
		buf = buf[n:]
		at = s.after(at, n)
	}
}

// Advance says how many bytes were really sent.
//
//go:nosplit
func (s *StreamStamper) Advance(n int) {
	s.done += int64(n)
	s.at += int64(n)
	if s.period > 0 {
		s.at %= s.period
	}
}

// At is the offset in the period of the byte that comes next: where a source
// that filled its memory once goes on sending from.
//
//go:nosplit
func (s *StreamStamper) At() int64 { return s.at }

// Sent is how many bytes were sent.
func (s *StreamStamper) Sent() int64 { return s.done }

// A StreamChecker checks the bytes of a flow's sink, in whatever chunks they
// come. Bytes that are missing make what follows Corrupt: a byte stream that
// loses bytes is broken, and how is of no interest.
type StreamChecker struct {
	stream
	Corrupt int64 // bytes
}

// NewStreamChecker returns the checker for NewStreamStamper's bytes.
func NewStreamChecker(flow int, period int64) *StreamChecker {
	return &StreamChecker{stream: stream{key: streamKey(flow), period: period}}
}

// Check checks the bytes received next.
//
//go:nosplit
func (c *StreamChecker) Check(buf []byte) {
	c.done += int64(len(buf))
	for len(buf) > 0 {
		n := c.span(c.at, len(buf))
		c.Corrupt += compare(buf[:n], c.key, c.at)
		buf = buf[n:]
		c.at = c.after(c.at, n)
	}
}

// Received is how many bytes were checked.
func (c *StreamChecker) Received() int64 { return c.done }
