// Registrations of flows: several of one device, each told by instance and reg-id, and reached by nothing but the flow it came over. RFC 5626 §6.

package registrar

import (
	"strconv"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// DefaultFlowTimer is how often at least a device proves that its flow is alive, if the registrar is its first hop.
const DefaultFlowTimer = 2 * time.Minute

// The option tags that a REGISTER may require.
const (
	optionPath     = "path"
	optionOutbound = "outbound"
	optionGRUU     = "gruu"
)

// offered is what every 200 says is supported.
const offered = optionPath + ", " + optionOutbound + ", " + optionGRUU + ", " + optionGIN

// readOutbound decides whether the request registers a flow. A reg-id means nothing to a registrar that is not asked for outbound.
func (w *work) readOutbound(req *sip.Request) *refusal {
	u := &w.update
	kept, flows := 0, 0
	for i := range u.wishes {
		if u.wishes[i].expires > 0 {
			kept++
		}
		if u.wishes[i].regID != 0 {
			flows++
		}
	}
	if flows == 0 {
		return nil
	}
	if !req.HasToken(sip.HeaderSupported, optionOutbound) && !req.HasToken(sip.HeaderRequire, optionOutbound) {
		for i := range u.wishes {
			u.wishes[i].regID = 0
		}
		return nil
	}
	if kept > 1 {
		return &refusal{status: sip.StatusBadRequest, reason: "One Contact A Flow"}
	}
	if u.direct = req.Direct(); !u.direct && !u.edgeKnowsFlows() {
		return &refusal{status: sip.StatusFirstHopLacksOutbound}
	}
	u.outbound = true
	return nil
}

// edgeKnowsFlows reports whether the first proxy that the REGISTER met, the last in the Path, keeps flows: its URI has the ob parameter.
func (u *update) edgeKnowsFlows() bool {
	paths := u.origin.Path
	if len(paths) == 0 {
		return false
	}
	a, err := sip.ParseAddress(paths[len(paths)-1])
	return err == nil && a.URI.Outbound()
}

// confirmFlow tells a device that its flow is registered, and how often it has to prove that it is alive. RFC 5626 §6, §5.4.
func (w *work) confirmFlow(res *sip.Response, every time.Duration) {
	if !w.update.outbound {
		return
	}
	res.Set(sip.HeaderRequire, optionOutbound)
	if w.update.direct {
		res.Set(sip.HeaderFlowTimer, strconv.Itoa(int(every/time.Second)))
	}
}

// SameDevice reports whether two bindings are flows of one device: the second is for when the first cannot be reached, never for both at once. RFC 5626 §7.
func (b *Binding) SameDevice(c *Binding) bool {
	return b.RegID != 0 && c.RegID != 0 && b.Instance == c.Instance
}
