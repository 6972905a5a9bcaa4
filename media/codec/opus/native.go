//go:build (linux || darwin) && (amd64 || arm64) && !noopus

package opus

// The functions of libopus, called without cgo. https://opus-codec.org/docs/opus_api-1.3.1

import (
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"

	"github.com/sipwerk/sipwerk/media/codec"
)

// Constants of opus_defines.h.
const (
	applicationVoIP   = 2048
	setBitrate        = 4002
	setComplexity     = 4010
	setInbandFEC      = 4012
	setPacketLossRate = 4014
	setDTX            = 4016
)

// native are the addresses of the functions, and the sizes of the memory of coders.
type native struct {
	encoderSize, encoderInit, encode, encoderControl uintptr
	decoderSize, decoderInit, decode                 uintptr
	encoderBytes, decoderBytes                       [3]int       // by channels
	decoders                                         [3]sync.Pool // memory that was given back, as *state, by channels
}

// load finds the library under its usual names.
func load() (*native, string, error) {
	names := []string{"libopus.so.0", "libopus.so"}
	if runtime.GOOS == "darwin" {
		names = []string{"libopus.0.dylib", "/opt/homebrew/lib/libopus.0.dylib", "/usr/local/lib/libopus.0.dylib"}
	}
	var handle uintptr
	var err error
	for _, name := range names {
		if handle, err = purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_LOCAL); err == nil {
			break
		}
	}
	if err != nil {
		return nil, "", fmt.Errorf("%w (%w)", ErrMissing, err)
	}
	return bind(handle)
}

func bind(handle uintptr) (*native, string, error) {
	n := new(native)
	var version uintptr
	for name, f := range map[string]*uintptr{
		"opus_encoder_get_size": &n.encoderSize, "opus_encoder_init": &n.encoderInit, "opus_encode": &n.encode, "opus_encoder_ctl": &n.encoderControl,
		"opus_decoder_get_size": &n.decoderSize, "opus_decoder_init": &n.decoderInit, "opus_decode": &n.decode, "opus_get_version_string": &version,
	} {
		var err error
		if *f, err = purego.Dlsym(handle, name); err != nil {
			return nil, "", fmt.Errorf("%w (%w)", ErrMissing, err)
		}
	}
	for channels := 1; channels <= 2; channels++ {
		n.encoderBytes[channels] = call(n.encoderSize, uintptr(channels))
		n.decoderBytes[channels] = call(n.decoderSize, uintptr(channels))
	}
	var says func() string
	purego.RegisterFunc(&says, version)
	return n, says(), nil
}

// call calls a function that returns an int of C.
//
//go:uintptrescapes
func call(f uintptr, arguments ...uintptr) int {
	r, _, _ := purego.SyscallN(f, arguments...)
	return int(int32(r))
}

// state is the memory of a coder, in words so that it is aligned. The library keeps no pointers into it.
type state []uint64

func newState(bytes int) state { return make(state, (bytes+7)/8) }

// encoder implements [codec.Encoder].
type encoder struct {
	native   *native
	rate     int
	channels int
	dtx      bool
	effort   int  // complexity
	saves    bool // of that
	state    state
}

func (n *native) newEncoder(rate, channels int, s Settings) (codec.Encoder, error) {
	e := &encoder{native: n, rate: rate, channels: channels, dtx: s.DTX, effort: s.complexity(), state: newState(n.encoderBytes[channels])}
	if code := call(n.encoderInit, uintptr(unsafe.Pointer(&e.state[0])), uintptr(rate), uintptr(channels), applicationVoIP); code != 0 {
		return nil, fmt.Errorf("opus: encoder of %d Hz: error %d", rate, code)
	}
	e.set(setBitrate, s.bitrate())
	e.Economize(false)
	e.set(setInbandFEC, number(s.FEC))
	e.set(setPacketLossRate, s.loss())
	e.set(setDTX, number(s.DTX))
	return e, nil
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// set is opus_encoder_ctl, whose third argument is variable: on Apple's arm64 those lie on the stack, behind eight registers.
func (e *encoder) set(request, value int) {
	at := uintptr(unsafe.Pointer(&e.state[0]))
	if runtime.GOOS == "darwin" && runtime.GOARCH == "arm64" {
		call(e.native.encoderControl, at, uintptr(request), 0, 0, 0, 0, 0, 0, uintptr(value))
	} else {
		call(e.native.encoderControl, at, uintptr(request), uintptr(value))
	}
	runtime.KeepAlive(e.state)
}

// maxPayload is more than any packet at our bitrates.
const maxPayload = 1500

// Encode implements [codec.Encoder]. In silence with DTX nothing is appended: nothing has to be sent.
func (e *encoder) Encode(dst []byte, pcm []int16) ([]byte, error) {
	if len(pcm) == 0 || len(pcm)%e.channels != 0 {
		return dst, errFrame
	}
	start := len(dst)
	if cap(dst)-start < maxPayload {
		dst = append(make([]byte, 0, start+maxPayload), dst...)
	}
	room := dst[start : start+maxPayload]
	n := call(e.native.encode, uintptr(unsafe.Pointer(&e.state[0])), uintptr(unsafe.Pointer(&pcm[0])), uintptr(len(pcm)/e.channels),
		uintptr(unsafe.Pointer(&room[0])), uintptr(len(room)))
	runtime.KeepAlive(e.state)
	switch {
	case n < 0:
		return dst[:start], errFrame
	case n <= 2 && e.dtx:
		return dst[:start], nil // RFC 7587 §3.1.3
	}
	return dst[:start+n], nil
}

// Succeed implements [codec.Successor]: opus_encoder.h allows to copy the memory.
func (e *encoder) Succeed(other codec.Encoder) bool {
	o, ok := other.(*encoder)
	if !ok || o.rate != e.rate || o.channels != e.channels {
		return false
	}
	copy(e.state, o.state)
	e.dtx = o.dtx
	e.Economize(e.saves)
	return true
}

// thrift is the complexity of who economizes.
const thrift = 1

// Economize implements [codec.Economizer].
func (e *encoder) Economize(on bool) {
	e.saves = on
	complexity := e.effort
	if on {
		complexity = min(complexity, thrift)
	}
	e.set(setComplexity, complexity)
}

// decoder implements [codec.Decoder]. Numbers of samples are those of all channels.
type decoder struct {
	native   *native
	rate     int
	channels int
	state    *state // nil: it rests
}

func (n *native) newDecoder(rate, channels int) (codec.Decoder, error) {
	d := &decoder{native: n, rate: rate, channels: channels}
	if code := d.wake(); code != 0 {
		return nil, fmt.Errorf("opus: decoder of %d Hz: error %d", rate, code)
	}
	d.Rest() // most of those who could be heard never are
	return d, nil
}

// wake begins anew. The code is that of the library, 0 if all is well.
func (d *decoder) wake() int {
	var ok bool
	if d.state, ok = d.native.decoders[d.channels].Get().(*state); !ok {
		s := newState(d.native.decoderBytes[d.channels])
		d.state = &s
	}
	return call(d.native.decoderInit, d.at(), uintptr(d.rate), uintptr(d.channels))
}

// at is where the library finds the state.
func (d *decoder) at() uintptr { return uintptr(unsafe.Pointer(&(*d.state)[0])) }

// Rest implements [codec.Rester].
func (d *decoder) Rest() {
	if d.state != nil {
		d.native.decoders[d.channels].Put(d.state)
		d.state = nil
	}
}

// Decode implements [codec.Decoder].
func (d *decoder) Decode(dst []int16, payload []byte) ([]int16, error) {
	n := samplesOf(payload, d.rate)
	if n == 0 {
		return dst, ErrPayload
	}
	dst, ok := d.decode(dst, payload, n*d.channels, 0)
	if !ok {
		return dst, ErrPayload
	}
	return dst, nil
}

// decode appends n samples: of a payload, of the copy of the one before in it (fec), or made up if payload is empty.
func (d *decoder) decode(dst []int16, payload []byte, n int, fec uintptr) ([]int16, bool) {
	if d.state == nil && d.wake() != 0 {
		return dst, false
	}
	start := len(dst)
	for cap(dst) < start+n {
		dst = append(dst[:cap(dst)], 0)
	}
	dst = dst[:start+n]
	var data unsafe.Pointer
	if len(payload) > 0 {
		data = unsafe.Pointer(&payload[0])
	}
	got := call(d.native.decode, d.at(), uintptr(data), uintptr(len(payload)),
		uintptr(unsafe.Pointer(&dst[start])), uintptr(n/d.channels), fec)
	runtime.KeepAlive(d.state)
	if got < 0 {
		return dst[:start], false
	}
	return dst[:start+min(got*d.channels, n)], true
}

// Conceal implements [codec.Decoder].
func (d *decoder) Conceal(dst []int16, samples int) []int16 { return d.conceal(dst, nil, samples) }

// Recover implements [codec.Recoverer].
func (d *decoder) Recover(dst []int16, next []byte, samples int) []int16 {
	return d.conceal(dst, next, samples)
}

// conceal makes up samples in pieces that the library can make: multiples of 2.5 ms, at most 120 ms.
func (d *decoder) conceal(dst []int16, next []byte, samples int) []int16 {
	piece, end := d.rate/400*d.channels, len(dst)+samples
	for len(dst) < end {
		n := min(end-len(dst), d.rate*d.channels*longest/1000)
		n = max(n-n%piece, piece)
		var ok bool
		if dst, ok = d.decode(dst, next, n, uintptr(number(len(next) > 0))); !ok {
			dst = append(dst, make([]int16, n)...)
		}
		next = nil
	}
	return dst[:end]
}

// Peek implements [codec.Peeker].
func (d *decoder) Peek(payload []byte) (int, uint8) { return peek(payload, d.rate) }
