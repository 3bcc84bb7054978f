package traffic

import "netab/results/vocab"

// Events are what happens to an end beside sending and receiving, counted in the
// loops.
const (
	eventRetry      = iota // a call that failed with ENOBUFS, EAGAIN or ENOMEM and was made again
	eventConnect           // a connection that failed and was made again (EADDRNOTAVAIL, ECONNREFUSED, ECONNRESET)
	eventTimeout           // a request over datagrams whose response did not come in time
	eventStale             // a response that came after its request's time
	eventZeroCopied        // a MSG_ZEROCOPY send that the kernel copied after all
	eventZeroDone          // a MSG_ZEROCOPY send completed, copied or not
	eventMapped            // bytes received through TCP_ZEROCOPY_RECEIVE's mapping
	eventCopied            // bytes that TCP_ZEROCOPY_RECEIVE left to be copied
	eventLost              // verify: messages that never came
	eventDuplicated        // verify: that came twice
	eventReordered         // verify: that came after a later one
	eventCorrupt           // verify: messages, or bytes of a stream, that were not as sent
	eventEmpty             // a call of a spinning sink that found nothing
	eventStranger          // a connection or a datagram that is none of our sources': see strangers.go
	eventKinds
)

var eventNames = [eventKinds]string{
	vocab.Retries, vocab.ConnectErrors, vocab.Timeouts, vocab.StaleResponses,
	vocab.ZeroCopyCopied, vocab.ZeroCopyCompleted, vocab.BytesMapped, vocab.BytesCopied,
	vocab.Lost, vocab.Duplicated, vocab.Reordered, vocab.Corrupt, vocab.EmptyPolls, vocab.Strangers,
}
