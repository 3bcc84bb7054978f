package uring

// What the kernel and we agree on, from include/uapi/linux/io_uring.h;
// abi_test.go holds it against that file.

// setupParams is struct io_uring_params.
type setupParams struct {
	sqEntries, cqEntries uint32
	flags                uint32
	sqThreadCPU          uint32
	sqThreadIdle         uint32
	features             uint32
	wqFD                 uint32
	reserved             [3]uint32
	sq                   sqOffsets
	cq                   cqOffsets
}

// sqOffsets is struct io_sqring_offsets.
type sqOffsets struct {
	head, tail, ringMask, ringEntries, flags, dropped, array, reserved1 uint32
	userAddress                                                         uint64
}

// cqOffsets is struct io_cqring_offsets.
type cqOffsets struct {
	head, tail, ringMask, ringEntries, overflow, cqes, flags, reserved1 uint32
	userAddress                                                         uint64
}

// sqe is struct io_uring_sqe: one submission.
type sqe struct {
	opcode      uint8
	flags       uint8
	ioprio      uint16
	fd          int32
	offset      uint64
	address     uint64
	length      uint32
	opFlags     uint32 // msg_flags, or poll32_events
	userData    uint64
	buffer      uint16 // buf_index, or buf_group
	personality uint16
	fileIndex   uint32
	address3    uint64
	reserved    uint64
}

// cqe is struct io_uring_cqe: one completion.
type cqe struct {
	userData uint64
	result   int32
	flags    uint32
}

// bufferEntry is struct io_uring_buf. The ring's tail lies in the last two
// bytes of the first entry (struct io_uring_buf_ring).
type bufferEntry struct {
	address uint64
	length  uint32
	id      uint16
	tail    uint16
}

// bufferRegistration is struct io_uring_buf_reg.
type bufferRegistration struct {
	ringAddress uint64
	ringEntries uint32
	group       uint16
	flags       uint16
	reserved    [3]uint64
}

// opProbe is struct io_uring_probe with room for every operation.
type opProbe struct {
	lastOp, length uint8
	reserved       uint16
	reserved2      [3]uint32
	ops            [256]opSupport
}

// opSupport is struct io_uring_probe_op.
type opSupport struct {
	op, reserved uint8
	flags        uint16
	reserved2    uint32
}

// syncCancel is struct io_uring_sync_cancel_reg.
type syncCancel struct {
	address   uint64
	fd        int32
	flags     uint32
	seconds   int64
	nanos     int64
	reserved2 [4]uint64
}

// waitArgument is struct io_uring_getevents_arg.
type waitArgument struct {
	signals     uint64
	signalsSize uint32
	reserved    uint32
	timeout     uint64 // address of a struct __kernel_timespec
}

const (
	setupCQSize       = 1 << 3  // IORING_SETUP_CQSIZE
	setupDisabled     = 1 << 6  // IORING_SETUP_R_DISABLED
	setupSubmitAll    = 1 << 7  // IORING_SETUP_SUBMIT_ALL
	setupSingleIssuer = 1 << 12 // IORING_SETUP_SINGLE_ISSUER
	setupDeferTasks   = 1 << 13 // IORING_SETUP_DEFER_TASKRUN

	offsetRings = 0          // IORING_OFF_SQ_RING; the CQ ring is in the same mapping (IORING_FEAT_SINGLE_MMAP)
	offsetSQEs  = 0x10000000 // IORING_OFF_SQES

	enterGetEvents   = 1 << 0 // IORING_ENTER_GETEVENTS
	enterExtArgument = 1 << 3 // IORING_ENTER_EXT_ARG

	registerBuffers     = 0  // IORING_REGISTER_BUFFERS
	registerProbe       = 8  // IORING_REGISTER_PROBE
	registerEnableRings = 12 // IORING_REGISTER_ENABLE_RINGS
	registerBufferRing  = 22 // IORING_REGISTER_PBUF_RING
	registerSyncCancel  = 24 // IORING_REGISTER_SYNC_CANCEL

	cancelAll = 1 << 0 // IORING_ASYNC_CANCEL_ALL
	cancelAny = 1 << 2 // IORING_ASYNC_CANCEL_ANY

	opPoll         = 6  // IORING_OP_POLL_ADD
	opSend         = 26 // IORING_OP_SEND
	opReceive      = 27 // IORING_OP_RECV
	opSendZeroCopy = 47 // IORING_OP_SEND_ZC
	opSupported    = 1  // IO_URING_OP_SUPPORTED

	sqeLink         = 1 << 2 // IOSQE_IO_LINK
	sqeSelectBuffer = 1 << 5 // IOSQE_BUFFER_SELECT

	receiveMultishot = 1 << 1 // IORING_RECV_MULTISHOT
	fixedBuffer      = 1 << 2 // IORING_RECVSEND_FIXED_BUF
	reportUsage      = 1 << 3 // IORING_SEND_ZC_REPORT_USAGE

	completionBuffer = 1 << 0 // IORING_CQE_F_BUFFER
	completionMore   = 1 << 1 // IORING_CQE_F_MORE
	completionNotice = 1 << 3 // IORING_CQE_F_NOTIF

	usageCopied = 1 << 31 // IORING_NOTIF_USAGE_ZC_COPIED
)
