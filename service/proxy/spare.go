// A device with several flows: one that is broken is told of, and the next is tried. RFC 5626 §7, §11.6.

package proxy

import "github.com/sipwerk/sipwerk/sip"

// flowFailed says that nothing has come over the way to a target, if the status means that.
func (f *fork) flowFailed(key uint64, status sip.Status) {
	if told := f.proxy.FlowFailed; told != nil && key != 0 && status == sip.StatusFlowFailed {
		if req, ok := f.again(); ok {
			told(req.URI, key)
		}
	}
}

// trySpare sends the request by another way to the same device, if this one was broken. RFC 5626 §7: a response other than 408 and 430 is the device's word.
func (f *fork) trySpare(b *branch, status sip.Status, res *sip.Response) bool {
	broken := status == sip.StatusFlowFailed || status == sip.StatusRequestTimeout && !b.heard || status == sip.StatusServiceUnavailable && res == nil
	if !broken || len(b.spares) == 0 {
		return false
	}
	ts := b.spares
	b.spares = nil
	ts[0].Spare = false
	if req, ok := f.again(); ok {
		before := f.pending
		f.launchAll(req, ts)
		return f.pending > before
	}
	return false
}
