// A call record as JSON, written by hand: what package json makes of a [CDR], at a tenth of its cost, for this is done at the end of every call.

package store

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// appendJSON appends the record: every field in the order and with the omissions that the struct tags say.
func (c *CDR) appendJSON(b []byte) []byte {
	o := jsonObject{b: append(b, '{')}
	o.text("id", c.ID)
	o.text("domain", c.Domain)
	o.textIf("session_id", c.SessionID)
	o.text("call_id", c.CallID)
	o.text("from", c.From)
	o.textIf("name", c.Name)
	o.text("to", c.To)
	o.text("dialled", c.Dialled)
	o.textIf("account", c.Account)
	o.textIf("final", c.Final)
	o.textIf("trunk", c.Trunk)
	o.moment("start", c.Start)
	o.momentIf("ring", c.Ring)
	o.momentIf("answer", c.Answer)
	o.moment("end", c.End)
	o.number("status", int64(c.Status))
	o.number("q850", int64(c.Cause))
	o.text("ended_by", c.By)
	o.textIf("reason", c.Reason)
	o.textIf("error", c.Error)
	o.key("transcoded")
	o.b = strconv.AppendBool(o.b, c.Transcoded)
	if len(c.Recordings) > 0 {
		list(&o, "recordings", c.Recordings, func(o *jsonObject, s *string) { o.b = appendText(o.b, *s) })
	}
	if c.Legs != nil {
		list(&o, "legs", c.Legs, func(o *jsonObject, l *CDRLeg) { o.within(l.members) })
	} else {
		o.key("legs")
		o.b = append(o.b, "null"...)
	}
	if len(c.Steps) > 0 {
		list(&o, "steps", c.Steps, func(o *jsonObject, s *CDRStep) { o.within(s.members) })
	}
	if len(c.Moves) > 0 {
		list(&o, "moves", c.Moves, func(o *jsonObject, m *CDRMove) { o.within(m.members) })
	}
	return append(o.b, '}')
}

func (l *CDRLeg) members(o *jsonObject) {
	o.text("side", l.Side)
	o.textIf("account", l.Account)
	o.textIf("target", l.Target)
	o.textIf("trunk", l.Trunk)
	o.textIf("payer", l.Payer)
	o.textIf("call_id", l.CallID)
	o.moment("start", l.Start)
	o.momentIf("ring", l.Ring)
	o.momentIf("answer", l.Answer)
	o.momentIf("end", l.End)
	o.number("status", int64(l.Status))
	o.textIf("error", l.Error)
	o.textIf("codec", l.Codec)
	o.textIf("digits", l.Digits)
	if l.PacketTime != 0 {
		o.fraction("packet_time_ms", l.PacketTime)
	}
	if len(l.Streams) > 0 {
		list(o, "streams", l.Streams, func(o *jsonObject, s *CDRStream) { o.within(s.members) })
	}
}

func (s *CDRStream) members(o *jsonObject) {
	o.textIf("media", s.Media)
	o.count("packets", s.Packets)
	o.count("sent", s.Sent)
	o.count("lost", s.Lost)
	o.number("peer_lost", s.PeerLost)
	o.fraction("jitter_ms", s.Jitter)
	if s.RoundTrip != 0 {
		o.fraction("round_trip_ms", s.RoundTrip)
	}
	if s.MOS != 0 {
		o.fraction("mos", s.MOS)
	}
}

func (s *CDRStep) members(o *jsonObject) {
	o.textIf("cause", s.Cause)
	o.textIf("note", s.Note)
	o.number("status", int64(s.Status))
	o.textIf("miss", s.Miss)
}

func (m *CDRMove) members(o *jsonObject) {
	o.moment("at", m.At)
	o.text("kind", m.Kind)
	o.textIf("by", m.By)
	o.textIf("to", m.To)
	o.textIf("cause", m.Cause)
	o.textIf("call", m.Call)
}

// jsonObject is a JSON object that grows member by member.
type jsonObject struct {
	b []byte // ends with the last member, or with the brace
}

// key begins a member. Names of ours need no escapes.
func (o *jsonObject) key(name string) {
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
	o.b = append(append(append(o.b, '"'), name...), '"', ':')
}

func (o *jsonObject) text(name, value string) {
	o.key(name)
	o.b = appendText(o.b, value)
}

func (o *jsonObject) textIf(name, value string) {
	if value != "" {
		o.text(name, value)
	}
}

func (o *jsonObject) number(name string, n int64) {
	o.key(name)
	o.b = strconv.AppendInt(o.b, n, 10)
}

func (o *jsonObject) count(name string, n uint64) {
	o.key(name)
	o.b = strconv.AppendUint(o.b, n, 10)
}

// fraction writes a number of two decimals or so; what is none is 0.
func (o *jsonObject) fraction(name string, f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		f = 0
	}
	o.key(name)
	o.b = strconv.AppendFloat(o.b, f, 'f', -1, 64)
}

func (o *jsonObject) moment(name string, t time.Time) {
	o.key(name)
	o.b = append(t.AppendFormat(append(o.b, '"'), time.RFC3339Nano), '"')
}

func (o *jsonObject) momentIf(name string, t time.Time) {
	if !t.IsZero() {
		o.moment(name, t)
	}
}

// within writes an object as a value.
func (o *jsonObject) within(members func(*jsonObject)) {
	o.b = append(o.b, '{')
	members(o)
	o.b = append(o.b, '}')
}

// list writes a list as a member.
func list[T any](o *jsonObject, name string, all []T, write func(*jsonObject, *T)) {
	o.key(name)
	o.b = append(o.b, '[')
	for i := range all {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		write(o, &all[i])
	}
	o.b = append(o.b, ']')
}

// appendText appends a string. What needs an escape, or is not ASCII, is left to package json.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return appendEscaped(b, s)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

func appendEscaped(b []byte, s string) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string can always be written
	return append(b, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
}
