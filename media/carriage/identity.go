package carriage

// The certificate of handshakes. RFC 5763 §5.

import (
	"sync"

	"github.com/sipwerk/sipwerk/media/dtls"
)

// An Identity is the certificate of all handshakes of a server. It is made when it is first asked for; the zero Identity is ready.
type Identity struct {
	once sync.Once
	made *dtls.Identity
	err  error
}

func (i *Identity) certificate() (*dtls.Identity, error) {
	i.once.Do(func() { i.made, i.err = dtls.NewIdentity() })
	return i.made, i.err
}
