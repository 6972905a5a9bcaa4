package srtp

// A cipher as plain data. RFC 3711 §3.2.3.

import (
	"cmp"
	"slices"
)

// State is everything a cipher knows. It contains the keys: whoever stores or sends it does so as with keys.
type State struct {
	Send, Receive Direction
}

// Direction is one key and what it was used for.
type Direction struct {
	Key              Key
	Packets, Reports uint64 // protected so far
	Sources          []Source
}

// State returns a copy of what c knows. Neither direction may be in use meanwhile.
func (c *Cipher) State() State {
	return State{Send: c.send.state(), Receive: c.receive.state()}
}

func (d *direction) state() Direction {
	out := Direction{Key: d.key, Packets: d.packets, Reports: d.reports}
	for _, s := range d.sources {
		out.Sources = append(out.Sources, *s)
	}
	slices.SortFunc(out.Sources, func(a, b Source) int { return cmp.Compare(a.SSRC, b.SSRC) })
	return out
}

// Restore returns a cipher that goes on where s was taken; the other must not be used any more. The error wraps [ErrKey] if a key
// does not fit, carries an MKI though it is ours, or there are too many sources.
func Restore(s State) (*Cipher, error) {
	send, err := s.Send.restore()
	if err != nil {
		return nil, err
	}
	if len(s.Send.Key.MKI) > 0 {
		return nil, ErrKey
	}
	receive, err := s.Receive.restore()
	if err != nil {
		return nil, err
	}
	return &Cipher{send: send, receive: receive}, nil
}

func (s Direction) restore() (*direction, error) {
	d, err := newDirection(s.Key)
	if err != nil {
		return nil, err
	}
	if len(s.Sources) > maxSources {
		return nil, ErrKey
	}
	d.packets, d.reports = s.Packets, s.Reports
	for _, source := range s.Sources {
		d.sources[source.SSRC] = &source
	}
	return d, nil
}
