// May the request be forwarded? RFC 3261 §16.3; RFC 5393 §4, §5.

package proxy

import (
	"hash/maphash"
	"strconv"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// defaultBreadth is the Max-Breadth of a request that names none. RFC 5393 §5.3.3.
const defaultBreadth = 60

// verdict is what the checks say of a request.
type verdict struct {
	status      sip.Status // 0: forward it
	unsupported string     // of a 420
	hops        uint32     // Max-Forwards that goes out
	breadth     uint32     // Max-Breadth that came
	mark        uint32     // the loop detection value
}

// check holds a request against RFC 3261 §16.3. The checks of syntax and scheme come before: the stack and the door behind which we stand do them.
func (p *Proxy) check(ev *sip.Event) verdict {
	req := ev.Request
	v := verdict{hops: 70, breadth: defaultBreadth}
	if hops, ok := req.Uint(sip.HeaderMaxForwards); ok {
		if hops == 0 {
			return verdict{status: sip.StatusTooManyHops}
		}
		v.hops = min(hops, 255) - 1
	}
	if unknown := p.required(req); unknown != "" {
		return verdict{status: sip.StatusBadExtension, unsupported: unknown}
	}
	if breadth, ok := req.Uint(sip.HeaderMaxBreadth); ok {
		v.breadth = breadth
	}
	if v.breadth == 0 {
		return verdict{status: sip.StatusMaxBreadthExceeded}
	}
	v.mark = p.mark(req)
	if looped(req, v.mark) {
		return verdict{status: sip.StatusLoopDetected}
	}
	return v
}

// required returns what Proxy-Require asks of us beyond what we know. RFC 3261 §16.3 step 5. Bulk registrations (RFC 6140 §5.1) ask no more of a proxy than Path.
func (p *Proxy) required(req *sip.Request) string {
	if !req.Has(sip.HeaderProxyRequire) {
		return ""
	}
	return strings.Join(req.Unsupported(sip.HeaderProxyRequire, "gin"), ", ")
}

// mark is the loop detection value: everything on which the way of a request depends. RFC 5393 §4.2.1: nothing in it changes from hop to hop by itself.
func (p *Proxy) mark(req *sip.Request) uint32 {
	u := &req.URI
	h := maphash.String(p.seed, u.User)
	h = h*31 + maphash.String(p.seed, u.Host)
	h = h*31 + uint64(u.Port)
	if u.Params != "" {
		h = h*31 + maphash.String(p.seed, string(u.Params))
	}
	if req.Has(sip.HeaderRoute) {
		for r := range req.Values(sip.HeaderRoute) {
			h = h*31 + maphash.String(p.seed, r)
		}
	}
	if m := uint32(h ^ h>>32); m != 0 {
		return m
	}
	return 1
}

// looped reports whether a request was forwarded by us before with all that matters the same. One that has changed since is a spiral and goes on.
func looped(req *sip.Request, mark uint32) bool {
	for value := range req.Values(sip.HeaderVia) {
		i := strings.Index(value, ";loop=")
		if i < 0 {
			continue
		}
		digits := value[i+len(";loop="):]
		if end := strings.IndexByte(digits, ';'); end >= 0 {
			digits = digits[:end]
		}
		if n, err := strconv.ParseUint(digits, 16, 32); err == nil && uint32(n) == mark {
			return true
		}
	}
	return false
}
