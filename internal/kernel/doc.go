// Package kernel lets the kernel carry the RTP of streams that have settled: a program of ours (eBPF) at the interfaces where it comes in knows some streams by their two addresses, writes the
// addresses of the next leg into a packet, and sends it on. No thread of ours wakes for it.
//
// A [Table] holds the program and its streams. Whoever owns it adds an [Entry] for each way of a call and stops it the moment anything about it changes: what the program does not know
// exactly comes to the sockets as ever. That is every other source, every other SSRC, RTCP, STUN and DTLS, fragments, IPv6, and numbers that jump. Counts are read from memory that is shared with the
// kernel, without a system call.
//
// Program and streams belong to this process and end with it, however that ends. It takes Linux 6.6 and the rights CAP_BPF and CAP_NET_ADMIN; where one is missing, [Open] says which.
//
// RFC 3550 §A.1 and §A.8 (numbers and jitter), RFC 5761 §4 and RFC 7983 §7 (what is RTP). Package media/relay is the only user.
package kernel

import (
	"errors"
	"net/netip"

	"github.com/sipwerk/sipwerk/media/rtp"
)

// Errors of a [Table].
var (
	// ErrFull: as many streams are carried as there is room for.
	ErrFull = errors.New("kernel: no room for another stream")
	// ErrStopped: the entry was stopped before it had begun.
	ErrStopped = errors.New("kernel: stopped")
	// ErrUnusual: the way of the packets is none that the program takes: IPv6, a tunnel, IPsec, in by the network and out to this machine,
	// or from an address that the interface does not have.
	ErrUnusual = errors.New("kernel: an unusual way")
)

// A Way is what becomes of the RTP packets of one peer: those that come from From to At leave from Via to To. At and Via are addresses of ours.
type Way struct {
	From, At, Via, To netip.AddrPort
	Clock             uint32 // of the timestamps in Hz
	Standing          rtp.Standing
}

// Count is what the kernel has carried for an entry.
type Count struct {
	Packets, Bytes uint64 // IP payload, as it came
	Standing       rtp.Standing
}
