// Package storm lets phones, drawn by a seed, do everything at once on a bad network in virtual time: they register, call, hold, re-INVITE from both sides, cancel,
// refuse, redirect, send messages, lose their connection, crash and come back, with the server in the middle: a B2BUA or a proxy, by seed. After each seed an audit looks at what is left.
//
// A seed is one test that is the same each time: one thing happens, everything comes to rest, then the next; goroutines that one thing sets going wait for their
// turn ([network.Sim] InTurn), so that no scheduler decides, nor the race detector. So a seed that fails is played again by
//
//	go test ./test/storm -run TestStorm -seed 12345
//	go test ./test/storm -run TestLargeStorm -seed 7
//
// which prints the seed, what the audit has found and the ladder of the calls concerned. Other seeds are played with -first and -seeds:
//
//	go test ./test/storm -run TestStorm -first 1000000 -seeds 300
//
// The audit of a seed: each message was legal; each request has one outcome; each call has one outcome at each phone and at the server, and they do not contradict each
// other; every dialog, transaction, timer, media port and goroutine is gone; the bindings are those that were acknowledged, and none once they have expired.
package storm
