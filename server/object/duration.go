// Time spans, secrets and PINs: texts with a meaning of their own.

package object

import (
	"fmt"
	"strings"
	"time"
)

// Duration is a time span, written as "20s" or "5m".
type Duration time.Duration

// D returns it as the standard library has it.
func (d Duration) D() time.Duration { return time.Duration(d) }

// String writes it as people do: 30m, not 30m0s.
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText implements [encoding.TextMarshaler].
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("%q is no time span; write one such as 20s or 5m", b)
	}
	*d = Duration(v)
	return nil
}

// Keep is what stands for a secret or a PIN that is not shown; given back it means that the one that is kept stays.
const Keep = "keep"

// Secret is a secret that is used toward others, as it is kept: sealed by the key of the data folder. The zero Secret is none. A listing says only whether there is one.
type Secret string

// PIN is the hash of a PIN. The zero PIN is none. A listing says only whether there is one.
type PIN string
