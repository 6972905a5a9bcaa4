// Early dialogs that end while others go on: 199. RFC 6228 §6.

package proxy

import (
	"slices"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// maxEarly is how many early dialogs of one branch are remembered.
const maxEarly = 8

// noteEarly keeps the tag of an early dialog that the caller hears of, and forgets one that it hears the end of.
func (f *fork) noteEarly(b *branch, res *sip.Response) {
	tag := res.ToTag()
	i := slices.Index(b.tags, tag)
	switch {
	case res.Status == sip.StatusEarlyDialogTerminated && i >= 0:
		b.tags = slices.Delete(b.tags, i, i+1)
	case res.Status != sip.StatusEarlyDialogTerminated && i < 0 && tag != "" && len(b.tags) < maxEarly:
		b.tags = append(b.tags, strings.Clone(tag))
	}
}

// tellEarly tells the caller that the early dialogs of a branch are over although the call is not.
func (f *fork) tellEarly(b *branch, status sip.Status) {
	l := &f.proxy.lanes[f.stripe]
	if len(b.tags) == 0 || l.request.Parse(f.request) != nil {
		return
	}
	for _, tag := range b.tags {
		l.reply.ReplyTo(&l.request, sip.StatusEarlyDialogTerminated)
		l.reply.AddTag(sip.HeaderTo, tag)
		l.reply.Set(sip.HeaderReason, sip.Reason{Protocol: "SIP", Cause: int(status)}.String())
		f.respond(&l.reply)
	}
	b.tags = nil
}
