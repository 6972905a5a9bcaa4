package description

// Candidates that come by INFO. RFC 8840 §4.3, RFC 8840 §10.

import (
	"strings"

	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/sip"
)

// TricklePackage is the package of INFO, and the option tag, of those who take candidates so. RFC 8840 §10.1, RFC 8840 §10.5.
const TricklePackage = "trickle-ice"

// Trickles reports whether an INFO names candidates, or says that there are no more.
func Trickles(req *sip.Request) bool {
	p, err := sip.ParseInfoPackage(req.Get(sip.HeaderInfoPackage))
	return req.Method == sip.MethodInfo && err == nil && p.Same(sip.InfoPackage{Name: TricklePackage})
}

// TakeTrickle gives the fragment of such an INFO to take, and returns the status of the answer: 200, 415 if its body is no fragment, 400 for a malformed one.
func TakeTrickle(req *sip.Request, take func(fragment *sdp.Description)) sip.Status {
	kind, _, _ := strings.Cut(req.ContentType(), ";")
	if !strings.EqualFold(strings.TrimSpace(kind), sdp.FragmentType) {
		return sip.StatusUnsupportedMediaType
	}
	d, err := sdp.ParseFragment(req.Body())
	if err != nil {
		return sip.StatusBadRequest
	}
	take(d)
	return sip.StatusOK
}

// Trickle makes of an INFO one that carries a fragment. RFC 8840 §10.9.
func Trickle(info *sip.Request, fragment []byte) {
	info.Set(sip.HeaderInfoPackage, TricklePackage)
	info.Set(sip.HeaderContentDisposition, "Info-Package")
	info.SetBody(sdp.FragmentType, fragment)
}
