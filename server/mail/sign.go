// DKIM: a signature by which the receiver knows that the mail is from the domain that it names. RFC 6376 §5, RFC 8463 §3.

package mail

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/emersion/go-msgauth/dkim"
)

// Key is a key for DKIM. The zero Key is none.
type Key struct {
	Domain   string // that signs; empty: that of the sender
	Selector string // under which its public half is in DNS
	PEM      string // RSA or Ed25519, PKCS #1 or #8
}

// signed are the headers that a signature covers, those that a reader sees.
var signed = []string{"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Auto-Submitted"}

// sign returns message with a signature before it; without a key as it is.
func (s *Settings) sign(message []byte) ([]byte, error) {
	if s.Key.PEM == "" {
		return message, nil
	}
	key, err := parseKey(s.Key.PEM)
	if err != nil {
		return nil, err
	}
	domain := s.Key.Domain
	if domain == "" {
		domain = s.domain()
	}
	var b bytes.Buffer
	if err := dkim.Sign(&b, bytes.NewReader(message), &dkim.SignOptions{
		Domain: domain, Selector: s.Key.Selector, Signer: key, HeaderKeys: signed,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	}); err != nil {
		return nil, fmt.Errorf("mail: sign: %w", err)
	}
	return b.Bytes(), nil
}

// parseKey reads a private key.
func parseKey(text string) (crypto.Signer, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("mail: DKIM key: no PEM; give the private key as `openssl genpkey` writes it")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("mail: DKIM key: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("mail: DKIM key: it cannot sign; give an RSA or Ed25519 key")
	}
	return signer, nil
}
