// What neighbours are told to hold back. RFC 7339 §4, §5.3.

package overload

import (
	"strconv"
	"time"
)

// feedback is what one interval after another has taught about the share that is too much. The zero value asks for nothing.
type feedback struct {
	loss float64 // share of the new requests that neighbours shall hold back
}

// The constants of the feedback. What is still refused although neighbours hold back is more to be held back; when nothing is, they are let go bit by bit,
// because they would all come back at once.
const (
	gain    = 0.5
	decay   = 0.95
	nothing = 0.01
)

// step follows an interval in which so many new requests came, and so many of them were refused.
func (f feedback) step(offered, refused int) feedback {
	over := 0.0
	if offered > 0 {
		over = float64(refused) / float64(offered)
	}
	if over > nothing {
		return feedback{loss: f.loss + (1-f.loss)*over*gain}
	}
	if f.loss *= decay; f.loss < nothing {
		f.loss = 0
	}
	return f
}

// validity is how long a neighbour heeds what it was told, in milliseconds: a few intervals, because each response brings news.
const validity = 1000

// AppendFeedback appends the parameters with which the Via of a response answers the bare "oc" of its request. RFC 7339 §4, §5.3.
func (g *Gate) AppendFeedback(b []byte, now time.Time) []byte {
	loss := g.percent.Load()
	b = strconv.AppendUint(append(b, ";oc="...), uint64(loss), 10)
	b = append(b, `;oc-algo="loss";oc-validity=`...)
	if loss == 0 {
		b = append(b, '0') // RFC 7339 §5.3: nothing is to be held back
	} else {
		b = strconv.AppendUint(b, validity, 10)
	}
	b = strconv.AppendInt(append(b, ";oc-seq="...), now.Unix(), 10)
	ms := now.Nanosecond() / int(time.Millisecond)
	return append(b, '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
}
