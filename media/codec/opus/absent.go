//go:build !((linux || darwin) && (amd64 || arm64)) || noopus

package opus

// Programs that cannot load a library, or are not to.

import "github.com/sipwerk/sipwerk/media/codec"

type native struct{}

func load() (*native, string, error) { return nil, "", ErrMissing }

func (*native) newEncoder(int, int, Settings) (codec.Encoder, error) { return nil, ErrMissing }

func (*native) newDecoder(rate, channels int) (codec.Decoder, error) {
	return newFallback(rate, channels)
}
