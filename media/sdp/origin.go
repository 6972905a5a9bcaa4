package sdp

// The o= line and its version. RFC 8866 §5.2, RFC 3264 §8.

import (
	"hash/maphash"
	"net/netip"
	"strconv"
	"strings"
)

// An Origin is a decoded o= line.
type Origin struct {
	Username  string // "-" if there is none
	SessionID uint64
	Version   uint64
	Address   string // IP address or host name
}

// Origin decodes the o= line. It reports false if there is none, or none with six fields and numeric identifiers; the
// line itself is kept either way.
func (d *Description) Origin() (Origin, bool) {
	v, _ := d.Lines.Value('o')
	f := strings.Fields(v)
	if len(f) != 6 {
		return Origin{}, false
	}
	id, err1 := strconv.ParseUint(f[1], 10, 64)
	version, err2 := strconv.ParseUint(f[2], 10, 64)
	if err1 != nil || err2 != nil {
		return Origin{}, false
	}
	return Origin{Username: f[0], SessionID: id, Version: version, Address: f[5]}, true
}

// SetOrigin writes the o= line; the network is IN, the family follows the address.
func (d *Description) SetOrigin(o Origin) {
	if o.Username == "" {
		o.Username = "-"
	}
	b := append([]byte(o.Username), ' ')
	b = append(strconv.AppendUint(b, o.SessionID, 10), ' ')
	b = append(strconv.AppendUint(b, o.Version, 10), ' ')
	d.Lines.Set(Line{'o', string(b) + connectionValue(o.Address)})
}

// An Originator is one side of a dialog as author of descriptions: offers and answers sent in the dialog bear one o=
// line whose version counts the changes. RFC 3264 §8. One goroutine at a time.
type Originator struct {
	// Username is the first field, "-" if empty.
	Username string
	// SessionID should be random. Some receivers hold it in 63 bits: RFC 3264 §5.
	SessionID uint64
	// Address is the address of the author; it need not be one that media goes to. If it is not valid, o= repeats c=.
	Address netip.Addr

	version uint64
	last    uint64 // what identifies the description stamped last
	seed    maphash.Seed
}

// Stamp gives d our o= line instead of its own. The version is one higher than that of the description stamped before
// if anything else in it differs, and the same if nothing does.
func (o *Originator) Stamp(d *Description) {
	if o.version == 0 {
		o.seed = maphash.MakeSeed()
	}
	if h := d.hash(o.seed); o.version == 0 || h != o.last {
		o.last = h
		o.version++
	}
	d.SetOrigin(Origin{Username: o.Username, SessionID: o.SessionID, Version: o.version, Address: o.address(d)})
}

// hash is the same for descriptions that are printed the same but for their o= line.
func (d *Description) hash(seed maphash.Seed) uint64 {
	h := d.Lines.hash(seed, 0)
	for i := range d.Media {
		m := &d.Media[i]
		h = mix(h, uint64(m.Port)<<16|uint64(m.PortCount))
		h = mix(mix(h, maphash.String(seed, m.Type)), maphash.String(seed, m.Proto))
		for _, f := range m.Formats {
			h = mix(h, maphash.String(seed, f))
		}
		h = m.Lines.hash(seed, h)
	}
	return h
}

func (ls Lines) hash(seed maphash.Seed, h uint64) uint64 {
	for i := range ls {
		if l := &ls[i]; l.Type != 'o' {
			h = mix(mix(h, uint64(l.Type)), maphash.String(seed, l.Value))
		}
	}
	return mix(h, 1) // where a section ends is part of it
}

// mix takes one more number into a hash; the order counts.
func mix(h, next uint64) uint64 {
	h = (h ^ next) * 0x9e3779b97f4a7c15
	return h ^ h>>29
}

func (o *Originator) address(d *Description) string {
	if o.Address.IsValid() {
		return o.Address.String()
	}
	if c, _ := d.Lines.Value('c'); parseConnection(c) != "" {
		return parseConnection(c)
	}
	return "0.0.0.0"
}
