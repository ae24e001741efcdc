// The split of workload.c in Go: prints its CPU time in nanoseconds when standard input ends.
package main

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
)

var over atomic.Bool
var sink uint64

//go:noinline
func leafSeventy(rounds uint64) uint64 {
	state := uint64(1)
	for i := uint64(0); i < rounds; i++ {
		state = state*6364136223846793005 + i
	}
	return state
}

//go:noinline
func leafThirty(rounds uint64) uint64 {
	state := uint64(1)
	for i := uint64(0); i < rounds; i++ {
		state = state*2862933555777941757 + i
	}
	return state
}

//go:noinline
func splitOnce() {
	sink += leafSeventy(70000)
	sink += leafThirty(30000)
}

func main() {
	go func() {
		os.Stdin.Read(make([]byte, 1))
		over.Store(true)
	}()
	for !over.Load() {
		splitOnce()
	}
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	fmt.Println(usage.Utime.Nano() + usage.Stime.Nano())
}
