package b2bua

// What a call keeps while it just stands: there may be ten thousands, and most of what led to them never matters again.

import "github.com/sipwerk/sipwerk/media/sdp"

// stand waits until it shows that a call lasts: only then is it worth the work to let go of what it needs no more.
func (c *call) stand() {
	c.timer = c.engine.After(c.stripe, settleTime, func() {
		c.stands = true
		if c.acknowledged {
			c.rest()
		}
		c.watch()
	})
}

// rest lets go of what was needed to find somebody and to agree with him, unless something is under way.
func (c *call) rest() {
	if c.over || c.callee == nil || c.exchange != nil || c.transfer != nil || c.joining != nil || c.taker != nil || c.supervision != nil || c.waiting != nil {
		return
	}
	c.voice, c.preview, c.hunt = nil, nil, nil
	c.caller.rest()
	c.callee.rest()
}

// rest is that of one side. What was called is still known by its URI, and who by name.
func (l *leg) rest() {
	l.usage.Lean()
	if l.said != nil {
		l.packed, l.said = l.said.String(), nil
	}
	l.to, l.spares, l.hunt, l.agreed, l.first = nil, nil, nil, nil, nil
	if p := l.party; p != nil && p.Name == "" && !p.Trusted {
		l.party = &l.call.b.anybody
	}
}

// word is what the peer of a leg described last, as far as it is in force; nil if it has not.
func (l *leg) word() *sdp.Description {
	l.said, l.packed = l.glance(), ""
	return l.said
}

// glance is word for whoever only looks.
func (l *leg) glance() *sdp.Description {
	if l.said != nil || l.packed == "" {
		return l.said
	}
	d, err := sdp.Parse([]byte(l.packed))
	if err != nil { // it was printed by the same package
		return nil
	}
	return d
}

// strip lets go of what a leg held, when its call is forgotten.
func (l *leg) strip() { l.media, l.said, l.packed, l.refusal = nil, nil, "", nil }
