// The name of the device, the same at every start. RFC 5626 §4.1.

package phone

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// instance returns the name in angle brackets: the one that is given, the one that a file keeps, or a new one.
func instance(given, file string) (string, error) {
	switch {
	case given != "":
		return bracketed(given)
	case file == "":
		return "<" + newInstance() + ">", nil
	}
	kept, err := os.ReadFile(file)
	if err == nil {
		return bracketed(strings.TrimSpace(string(kept)))
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("phone: InstanceFile: %w", err)
	}
	made := newInstance()
	if err := os.WriteFile(file, []byte(made+"\n"), 0o644); err != nil {
		return "", fmt.Errorf("phone: InstanceFile: %w", err)
	}
	return "<" + made + ">", nil
}

// bracketed checks a name: it is written into a header field between quotes.
func bracketed(name string) (string, error) {
	name = strings.Trim(name, "<>")
	if !strings.HasPrefix(strings.ToLower(name), "urn:") || strings.ContainsAny(name, "\"\\<> \t\r\n") {
		return "", fmt.Errorf("phone: Instance %q: a URN is expected", name)
	}
	return "<" + name + ">", nil
}

// newInstance makes a URN of a random UUID of version 4.
func newInstance() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
