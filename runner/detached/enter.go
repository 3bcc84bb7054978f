//go:build !race

package detached

import _ "unsafe" // for go:linkname

// Enter and Leave tell Go's scheduler that the thread is in a system call. It gives
// its P to the next thread at once; after plain entersyscall the monitor thread
// would have to come and take it, up to 10 ms later, and the loops of many flows
// would begin one after the other. Both are kept linkable by the runtime (gVisor's
// platforms use them so).
//
//go:linkname Enter runtime.entersyscallblock
func Enter()

// Leave ends what Enter began.
//
//go:linkname Leave runtime.exitsyscall
func Leave()
