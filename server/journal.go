// What became of each call: a line in the log, and the figures of the metrics. The call id is the Session-ID. RFC 7989 §5.

package server

import (
	"context"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/sip"
)

// journal is told of calls by the B2BUA.
type journal struct {
	log     *slog.Logger // its lines may wait for each other: most calls have one
	records *records

	started, answered atomic.Uint64
	ended             [7]atomic.Uint64 // by the class of the final status: 2xx at 2
	talked            atomic.Int64     // all calls together, in nanoseconds
	packets, lost     atomic.Uint64    // RTP heard, and missing
}

// ObserveCall implements [b2bua.Observer].
func (j *journal) ObserveCall(d *b2bua.Detail) {
	ctx := context.Background()
	switch d.Phase {
	case b2bua.Started:
		j.started.Add(1)
		j.log.LogAttrs(ctx, slog.LevelDebug, "call started", slog.String("call", d.ID), slog.String("from", d.From), slog.String("to", d.To), slog.String("call-id", d.CallID))
	case b2bua.Ringing:
		j.log.LogAttrs(ctx, slog.LevelDebug, "call rings", slog.String("call", d.ID), slog.Int("devices", d.Branches))
	case b2bua.Answered:
		j.answered.Add(1)
		j.log.LogAttrs(ctx, slog.LevelDebug, "call answered", slog.String("call", d.ID), slog.Duration("after", d.Answer.Sub(d.Start).Round(time.Millisecond)))
	case b2bua.Ended:
		j.end(d)
	}
}

func (j *journal) end(d *b2bua.Detail) {
	j.records.take(d)
	j.ended[class(d.Status)].Add(1)
	j.talked.Add(int64(d.Duration()))
	packets, lost := heard(d.CallerMedia, d.CalleeMedia)
	j.packets.Add(packets)
	j.lost.Add(lost)
	var room [14]slog.Attr
	attributes := append(room[:0], slog.String("call", d.ID), slog.String("from", d.From), slog.String("to", d.To), slog.String("call-id", d.CallID), slog.Int("status", int(d.Status)),
		slog.String("by", d.By.String()), slog.Int("devices", d.Branches))
	if d.Reason != "" {
		attributes = append(attributes, slog.String("reason", d.Reason))
	}
	if d.Err != nil {
		attributes = append(attributes, slog.Any("err", d.Err))
	}
	if !d.Answer.IsZero() {
		if !j.records.same(d.Final, d.To) { // most calls
			attributes = append(attributes, slog.String("talked-to", j.records.account(d.Final)))
		}
		attributes = append(attributes, slog.Duration("talked", d.Duration().Round(time.Millisecond)), slog.Uint64("packets", packets), slog.Uint64("lost", lost))
		if mos := worst(d.CallerMedia, d.CalleeMedia); mos > 0 {
			attributes = append(attributes, slog.Float64("mos", math.Round(mos*10)/10))
		}
	}
	j.log.LogAttrs(context.Background(), slog.LevelInfo, "call ended", attributes...)
}

// features is the journal as the numbers of the house tell it of their calls. One that the B2BUA has brought there is told of by the B2BUA.
type features struct{ *journal }

// ObserveCall implements [pbx.Observer].
func (j features) ObserveCall(d *pbx.Detail) {
	if d.Inside {
		return
	}
	j.records.feature(d)
	attributes := []slog.Attr{slog.String("call", d.Session), slog.String("from", d.From.URI.String()), slog.String("to", d.Asked.String()), slog.String("call-id", d.CallID),
		slog.String("application", string(d.Application)), slog.Int("status", int(d.Status)), slog.String("by", d.By.String())}
	if d.Reason != "" {
		attributes = append(attributes, slog.String("reason", d.Reason))
	}
	if !d.Answer.IsZero() {
		attributes = append(attributes, slog.Duration("talked", d.Duration().Round(time.Millisecond)), slog.Uint64("packets", d.Media.Received.Packets), slog.Int64("lost", int64(d.Media.Received.Lost)))
	}
	j.log.LogAttrs(context.Background(), slog.LevelInfo, "call ended", attributes...)
}

// class is the first digit of a status, 0 for none.
func class(s sip.Status) int {
	if c := int(s) / 100; c >= 1 && c <= 6 {
		return c
	}
	return 0
}

// worst is the lowest estimate of how a stream sounded, 0 if nothing was heard.
func worst(sides ...[]relay.Counters) (mos float64) {
	for _, side := range sides {
		for _, c := range side {
			if c.MOS > 0 && (mos == 0 || c.MOS < mos) {
				mos = c.MOS
			}
		}
	}
	return mos
}

// heard sums up what both sides sent.
func heard(sides ...[]relay.Counters) (packets, lost uint64) {
	for _, side := range sides {
		for _, c := range side {
			packets += c.PacketsIn
			lost += c.Lost
		}
	}
	return packets, lost
}

// observers are several who are told of calls.
type observers []b2bua.Observer

// ObserveCall implements [b2bua.Observer].
func (o observers) ObserveCall(d *b2bua.Detail) {
	for _, one := range o {
		one.ObserveCall(d)
	}
}
