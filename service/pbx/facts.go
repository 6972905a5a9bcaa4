// What the INVITE says of a call: who calls, whom, and why it is here. RFC 4458 §2, RFC 5806 §7, RFC 7044 §5, RFC 3325 §9.1.

package pbx

import (
	"strconv"
	"strings"

	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
)

// Facts are what is known of a call when it comes.
type Facts struct {
	Application Feature
	From        sip.Address     // who calls, as it is shown
	Account     sip.URI         // the account of ours that has proved to call; zero for somebody from outside
	To          sip.Address     // whom the caller has called
	Asked       sip.URI         // the Request-URI
	Object      sip.URI         // what the application is to serve: a box, a menu, a queue
	Argument    string          // what was dialled behind the code of the feature
	Cause       sip.Status      // why the call did not reach whom it was for (RFC 4458 §2); 0: it is not said, or it was for us
	Diversions  []sip.Diversion // who sent it on, the latest first
	Session     string          // the Session-ID of the call (RFC 7989)
	CallID      string
	Inside      bool // it is a leg of a call of the house, which is told of by itself
}

// Anonymous reports whether the caller does not want to be named. RFC 3323 §4.1.1.3.
func (f *Facts) Anonymous() bool {
	host := strings.ToLower(f.From.URI.Host)
	return host == "" || strings.HasSuffix(host, "anonymous.invalid") || strings.EqualFold(f.From.URI.User, "anonymous")
}

// Number is who calls as one would dial them; empty for somebody anonymous.
func (f *Facts) Number() string {
	if f.Anonymous() {
		return ""
	}
	if number, ok := f.From.URI.GlobalNumber(); ok {
		return number
	}
	return f.From.URI.UserName()
}

// factsOf reads an INVITE, whose memory it shares.
func factsOf(req *sip.Request, who b2bua.Caller, a *application) Facts {
	f := Facts{Application: a.feature, Asked: req.URI, Object: a.object.Clone(), Cause: a.cause, CallID: req.CallID(), Argument: a.argument, Account: who.Account.Clone()}
	f.From, _ = req.From() // an INVITE without either has made no dialog
	f.To, _ = req.To()
	if who.Address.URI.Host != "" && !f.Anonymous() {
		f.From.URI = who.Address.URI.Clone()
		if who.Address.Display != "" {
			f.From.Display = strings.Clone(who.Address.Display)
		}
	}
	for v := range req.Values(sip.HeaderDiversion) {
		if d, err := sip.ParseDiversion(v); err == nil {
			f.Diversions = append(f.Diversions, d)
		}
	}
	if f.Object.Host == "" {
		f.Object = objectOf(req)
	}
	if f.Cause == 0 {
		f.Cause = causeOf(req, f.Diversions)
	}
	return f
}

// objectOf is the target that the Request-URI names (RFC 4458 §2), or the Request-URI itself.
func objectOf(req *sip.Request) sip.URI {
	if target, ok := req.URI.Param("target"); ok {
		if uri, err := sip.ParseURI(target); err == nil {
			return uri
		}
	}
	return req.URI
}

// causeOf is why the call is here: what the Request-URI says, or the latest diversion.
func causeOf(req *sip.Request, ds []sip.Diversion) sip.Status {
	if cause, ok := req.URI.Param("cause"); ok {
		if n, err := strconv.ParseUint(cause, 10, 16); err == nil && n >= 300 && n < 700 {
			return sip.Status(n)
		}
	}
	if len(ds) == 0 {
		return 0
	}
	switch ds[0].Reason { // RFC 5806 §4
	case "user-busy", "do-not-disturb":
		return sip.StatusBusyHere
	case "no-answer":
		return sip.StatusRequestTimeout
	case "unconditional", "away", "time-of-day", "follow-me":
		return sip.StatusMovedTemporarily
	}
	return sip.StatusTemporarilyUnavailable
}
