package vocab

// An Instrument is what an explain trial was measured with.
type Instrument string

const (
	Accounting Instrument = "accounting" // every CPU's time by slice, owner and context
	Sampling   Instrument = "sampling"   // the stacks of what runs, besides
	Events     Instrument = "events"     // drops, wake-ups, interrupts sent, locks; without the accounting
)

// An Owner is whose a CPU's time was, where it was no role of an arm.
type Owner string

const (
	OthersTime    Owner = "other" // processes that are not netab's, kernel threads
	IdleTime      Owner = "idle"
	KsoftirqdTime Owner = "ksoftirqd"
	MeasuringTime Owner = "measuring" // netab's own threads that are no roles
	BesideTime    Owner = "beside"    // roles of traffic beside the main one
	SourceTime    Owner = "source"
	SinkTime      Owner = "sink"
)
