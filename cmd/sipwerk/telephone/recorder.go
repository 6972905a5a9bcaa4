// What a telephone of this program sent and received, to be drawn as a ladder.

package telephone

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/sip/ladder"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// longestLadder is how many messages are kept; later ones are not drawn.
const longestLadder = 500

// recorder takes the messages of one telephone. Its columns are "phone" and the addresses of the peers.
type recorder struct {
	start time.Time
	copy  io.Writer // gets every message in full; nil: nobody

	mu    sync.Mutex // guards drawn
	drawn []ladder.Message
}

// take is for the Trace of a phone.
func (r *recorder) take(t transport.Trace) {
	m := ladder.Message{Time: t.Time.Sub(r.start), From: t.Flow.Remote.String(), To: "phone", Text: ladder.Text(t.Data)}
	if t.Sent {
		m.From, m.To = m.To, m.From
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.drawn) < longestLadder {
		r.drawn = append(r.drawn, m)
	}
	if r.copy != nil {
		fmt.Fprintf(r.copy, "%.3f s  %s → %s  %s\n%s\n", m.Time.Seconds(), m.From, m.To, t.Flow.Transport, t.Data)
	}
}

// ladder draws what was taken.
func (r *recorder) ladder() *ladder.Ladder {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &ladder.Ladder{Hosts: []string{"phone"}, Messages: append([]ladder.Message(nil), r.drawn...)}
}
