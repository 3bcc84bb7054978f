// Package uring sends and receives through io_uring: exactly what a traffic
// source and sink need of it, so that "does io_uring help here" can be an arm.
//
// A Source keeps a batch of sends in flight (IORING_OP_SEND or SEND_ZC), a Sink
// one multishot receive with a ring of buffers. Send and Receive stand where
// send(2) and recv(2) stand in a loop, and may run where Go's scheduler is out
// of reach: they are nosplit, allocate nothing, write no pointers, and call the
// kernel raw, with less than 320 bytes of stack. What blocks in them
// is ended by shutdown(2) of the socket.
//
// One kind of ring is made, with everything deferred to the thread that uses
// it, and kernels that lack it (before Linux 6.1, which brought SEND_ZC's
// report of copies too) are refused: see Available. There is no liburing here,
// which needs cgo, and no library for Go, none of which promises to leave
// scheduler, stack and heap alone; and nothing for files, timers or polling threads.
package uring
