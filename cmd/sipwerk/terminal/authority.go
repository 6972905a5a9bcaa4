// Whom a command trusts.

package terminal

import (
	"crypto/tls"
	"crypto/x509"
	"os"
)

// Authority reads a file of certificates to trust; without one those of the system are.
func (t *Terminal) Authority(file string) (*tls.Config, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, t.Errorf("--ca: %s holds no certificate in PEM; name another file", file)
	}
	return &tls.Config{RootCAs: roots}, nil
}
