package relay

// Streams that are read and spoken on at a beat: a conference, where many get one packet in each.

import "github.com/sipwerk/sipwerk/internal/mmsg"

// A Sweep serves streams when its owner asks for it, instead of whenever a packet comes: what arrives between two beats waits for the next one, and a beat costs one wake of the processor
// however many streams there are. A nil Sweep serves none: they are read as ever, and what is sent leaves at once. One goroutine calls Read, Send, SendControl and Flush; the other
// methods may be called from anywhere.
type Sweep struct {
	lines *mmsg.Sweep
	round *mmsg.Round // between Read and Flush
}

// NewSweep returns a sweep without streams, which its owner closes; nil where the network or the system has none.
func (r *Relay) NewSweep() *Sweep {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.hubs) == 0 {
		return nil
	}
	lines, err := r.hubs[0].NewSweep()
	if err != nil { // no descriptor is left: everything works without
		return nil
	}
	return &Sweep{lines: lines}
}

// Enlist makes w the one that reads s, unless others ride on it: pictures do not wait for a beat.
func (w *Sweep) Enlist(s *Stream) {
	if w == nil {
		return
	}
	s.mu.Lock()
	s.sweep, s.swept = w, true
	closed := s.closed
	s.mu.Unlock()
	s.halt()
	if closed {
		return
	}
	for i := range s.sockets {
		if line := s.sockets[i].line; line != nil {
			_ = w.lines.Enlist(line.HubConn) // who cannot be swept is served as before
		}
	}
	s.mu.Lock()
	shared := s.shared
	s.mu.Unlock()
	if shared {
		w.Dismiss(s)
	}
}

// Dismiss ends that, if it was so.
func (w *Sweep) Dismiss(s *Stream) {
	if w == nil {
		return
	}
	for i := range s.sockets {
		if line := s.sockets[i].line; line != nil {
			w.lines.Dismiss(line.HubConn)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sweep == w {
		s.sweep = nil
	}
}

// Read begins a beat: the listeners of the streams get what has come, and are told when it came.
func (w *Sweep) Read() {
	if w != nil {
		w.round = w.lines.Read()
	}
}

// Send is [Stream.Send], at the end of the beat.
func (w *Sweep) Send(s *Stream, b []byte) { w.send(s, media, b) }

// SendControl is [Stream.SendControl], at the end of the beat.
func (w *Sweep) SendControl(s *Stream, b []byte) { w.send(s, control, b) }

func (w *Sweep) send(s *Stream, c component, b []byte) {
	if w == nil || w.round == nil || s.sockets[c].line == nil {
		s.send(c, b)
		return
	}
	if len(b) < room {
		p := w.round.Space(len(b))
		copy(p, b)
		s.speak(round{w.round}, c, p)
	}
}

// Flush ends a beat: everything leaves.
func (w *Sweep) Flush() {
	if w != nil {
		w.lines.Flush(w.round)
		w.round = nil
	}
}

// Close ends the sweep between two beats. Its streams are read as before.
func (w *Sweep) Close() {
	if w != nil {
		w.lines.Close()
	}
}
