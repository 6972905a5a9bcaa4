// The compositor: it takes PUBLISH, keeps what each publisher says of a resource, and forgets it in time. RFC 3903 §6.

package event

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Compositor takes PUBLISH requests. It is an event handler; who stands in front has had the sender prove who it is. Fill the fields before first use and leave
// them alone. What was published of a resource is read with [Compositor.Published], by the [Source] of the package that is subscribed to.
type Compositor struct {
	Packages []*Published
	// Account names who sends a request: its publications are counted together. nil: the user who proved to have sent it, or the address it came from.
	Account func(ev *sip.Event) string
	// Limit is how many publications there may be, PerAccount how many of one account; 0 means 100,000 and 100. What comes beyond gets 503.
	Limit, PerAccount int
	MaxBody           int // bytes of one document; 0: 64 KiB. A longer one gets 413

	mu       sync.Mutex // guards what follows
	byTag    map[string]*Publication
	byName   map[resource][]*Publication // in the order in which they were made
	accounts map[string]int
	sweeping bool
}

// Published is a package of a [Compositor]. Fill the fields and leave them alone.
type Published struct {
	Name  string
	Types []string // of the documents that may be published
	// Expires is how long a publication lasts whose publisher does not say; Min is the shortest and Max the longest. 0: an hour, a minute, Expires.
	Expires, Min, Max time.Duration
	// Find returns the resource that the PUBLISH of ev is about; an error that is a [sip.Status] refuses it with that, any other with 403. It must not block and keep nothing of ev.
	Find func(ev *sip.Event) (resource string, err error)
	// Changed is told that what is published of a resource has changed, as [Notifier.Changed] wants to know. It must not block. May be nil.
	Changed func(pack, resource string)
}

// Publication is what somebody has published: plain data that can be stored or handed to another node.
type Publication struct {
	Package  string
	Resource string
	Account  string // who published it
	Tag      string // the entity tag; a new one with each PUBLISH (RFC 3903 §6 step 6)
	Type     string
	Body     []byte
	Expires  time.Time
}

const (
	defaultPublications = 100_000
	defaultPublished    = 100
	defaultBody         = 64 << 10
)

// Published returns what is published of a resource now, the oldest first. Bodies must not be changed.
func (c *Compositor) Published(pack, name string) []Publication {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []Publication
	for _, p := range c.byName[resource{pack, name}] {
		if time.Until(p.Expires) > 0 {
			all = append(all, *p)
		}
	}
	return all
}

// Len returns how many publications there are.
func (c *Compositor) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.byTag)
}

// HandleEvent takes a PUBLISH. Everything else is left alone.
func (c *Compositor) HandleEvent(ev *sip.Event) {
	if ev.Kind != sip.EventRequest || ev.Request.Method != sip.MethodPublish {
		return
	}
	p, expires, res := c.read(ev)
	if res == nil {
		res = c.publish(ev, p, expires)
	}
	_ = ev.Engine.Respond(ev.Tx, res) // a transaction that has ended needs no answer
}

// read finds the package of a PUBLISH and how long it is to last; a response refuses it.
func (c *Compositor) read(ev *sip.Event) (p *Published, expires time.Duration, refusal *sip.Response) {
	req := ev.Request
	if unknown := req.Unsupported(sip.HeaderRequire); len(unknown) > 0 {
		res := req.Reply(sip.StatusBadExtension)
		res.Set(sip.HeaderUnsupported, strings.Join(unknown, ", "))
		return nil, 0, res
	}
	about, err := sip.ParseEventPackage(req.Get(sip.HeaderEvent))
	if i := slices.IndexFunc(c.Packages, func(p *Published) bool { return p.Name == about.Name }); err == nil && i >= 0 {
		p = c.Packages[i]
	}
	if p == nil {
		res := req.Reply(sip.StatusBadEvent) // RFC 3903 §6 step 2
		res.Set(sip.HeaderAllowEvents, c.allowEvents())
		return nil, 0, res
	}
	switch body := req.Body(); {
	case len(body) > cmp.Or(c.MaxBody, defaultBody):
		return nil, 0, req.Reply(sip.StatusRequestEntityTooLarge)
	case len(body) > 0 && !slices.ContainsFunc(p.Types, func(t string) bool { return strings.EqualFold(t, req.ContentType()) }):
		res := req.Reply(sip.StatusUnsupportedMediaType)
		res.Set(sip.HeaderAccept, strings.Join(p.Types, ", "))
		return nil, 0, res
	}
	terms := Package{Expires: p.Expires, Min: p.Min, Max: p.Max}
	seconds, ok := req.Uint(sip.HeaderExpires)
	expires, brief := terms.expires(time.Duration(seconds)*time.Second, ok)
	if brief {
		return nil, 0, tooBrief(req, terms.least())
	}
	return p, expires, nil
}

func (c *Compositor) allowEvents() string {
	names := make([]string, len(c.Packages))
	for i, p := range c.Packages {
		names[i] = p.Name
	}
	return strings.Join(names, ", ")
}

// publish does what a PUBLISH asks for and returns the answer. RFC 3903 §6 steps 3 to 6.
func (c *Compositor) publish(ev *sip.Event, p *Published, expires time.Duration) *sip.Response {
	req := ev.Request
	name, err := p.Find(ev)
	if err != nil {
		status, ok := errors.AsType[sip.Status](err)
		if !ok {
			status = sip.StatusForbidden
		}
		return req.Reply(status)
	}
	tag := req.Get(sip.HeaderSIPIfMatch)
	c.mu.Lock()
	old := c.byTag[tag]
	account := senderOf(c.Account, ev)
	if old != nil && (old.Account != account || old.Package != p.Name || old.Resource != name) {
		old = nil // somebody else's
	}
	kind := kindOf(tag != "", len(req.Body()) > 0, expires == 0)
	action, status := kind.step(old != nil)
	if action == publishKeep && old == nil && !c.roomLocked(account) {
		status = sip.StatusServiceUnavailable
	}
	if status != 0 {
		c.mu.Unlock()
		res := req.Reply(status)
		if status == sip.StatusServiceUnavailable {
			res.Set(sip.HeaderRetryAfter, retryAfter)
		}
		return res
	}
	now := &Publication{Package: p.Name, Resource: strings.Clone(name), Account: account, Tag: ev.Engine.NewID(ev.Stripe), Expires: time.Now().Add(expires)}
	if action == publishKeep {
		now.Type, now.Body = strings.Clone(req.ContentType()), slices.Clone(req.Body())
	} else if old != nil {
		now.Type, now.Body = old.Type, old.Body
	}
	c.replaceLocked(old, now, expires > 0)
	c.watchLocked(ev.Engine)
	c.mu.Unlock()
	if action != publishExtend && p.Changed != nil {
		p.Changed(p.Name, now.Resource)
	}
	res := req.Reply(sip.StatusOK)
	res.Set(sip.HeaderSIPETag, now.Tag)
	res.Set(sip.HeaderExpires, seconds(expires))
	return res
}

// roomLocked reports whether an account may publish once more.
func (c *Compositor) roomLocked(account string) bool {
	return len(c.byTag) < orDefault(c.Limit, defaultPublications) && c.accounts[account] < orDefault(c.PerAccount, defaultPublished)
}

// replaceLocked puts a publication in the place of another, or of none; what does not last only takes the old one away.
func (c *Compositor) replaceLocked(old, now *Publication, lasts bool) {
	if c.byTag == nil {
		c.byTag, c.byName, c.accounts = make(map[string]*Publication), make(map[resource][]*Publication), make(map[string]int)
	}
	r := resource{now.Package, now.Resource}
	at := slices.Index(c.byName[r], old)
	if old != nil {
		delete(c.byTag, old.Tag)
	}
	switch {
	case lasts && at >= 0:
		c.byName[r][at] = now
		c.byTag[now.Tag] = now
	case lasts:
		c.byName[r] = append(c.byName[r], now)
		c.byTag[now.Tag] = now
		c.accounts[now.Account]++
	case at >= 0:
		c.dropLocked(r, at)
	}
}

// dropLocked forgets a publication.
func (c *Compositor) dropLocked(r resource, at int) {
	p := c.byName[r][at]
	delete(c.byTag, p.Tag)
	if c.byName[r] = slices.Delete(c.byName[r], at, at+1); len(c.byName[r]) == 0 {
		delete(c.byName, r)
	}
	if c.accounts[p.Account]--; c.accounts[p.Account] == 0 {
		delete(c.accounts, p.Account)
	}
}

// sweepTime is how long after its end a publication is missed at the latest. One look at all of them costs less than a timer for each, which a publisher that
// changes its mind would leave behind.
const sweepTime = 5 * time.Second

// watchLocked has the publications looked at as long as there are any.
func (c *Compositor) watchLocked(e sip.Engine) {
	if c.sweeping || len(c.byTag) == 0 {
		return
	}
	c.sweeping = true
	const stripe = 0 // any: nothing here belongs to one
	e.Do(stripe, func() { e.After(stripe, sweepTime, func() { c.sweep(e) }) })
}

// sweep forgets the publications that were not refreshed in time, and tells whoever wants to know. RFC 3903 §6 step 4.
func (c *Compositor) sweep(e sip.Engine) {
	c.mu.Lock()
	changed := make(map[resource]bool)
	for r, all := range c.byName {
		for at := len(all) - 1; at >= 0; at-- {
			if time.Until(all[at].Expires) <= 0 {
				c.dropLocked(r, at)
				changed[r] = true
			}
		}
	}
	c.sweeping = false
	c.watchLocked(e)
	c.mu.Unlock()
	for _, p := range c.Packages {
		for r := range changed {
			if r.pack == p.Name && p.Changed != nil {
				p.Changed(r.pack, r.name)
			}
		}
	}
}
