package dtls

// From a finished handshake to the keys of SRTP. RFC 5764 §4.1.2, RFC 5764 §4.2; RFC 7714 §14.2.

import (
	"fmt"

	"github.com/pion/dtls/v3"

	"github.com/sipwerk/sipwerk/media/srtp"
)

// label is that of the exporter. RFC 5764 §4.2.
const label = "EXTRACTOR-dtls_srtp"

var suites = map[dtls.SRTPProtectionProfile]srtp.Suite{
	dtls.SRTP_AEAD_AES_128_GCM:       srtp.AEAD128GCM,
	dtls.SRTP_AEAD_AES_256_GCM:       srtp.AEAD256GCM,
	dtls.SRTP_AES128_CM_HMAC_SHA1_80: srtp.AES128CMSHA80,
	dtls.SRTP_AES128_CM_HMAC_SHA1_32: srtp.AES128CMSHA32,
}

// profiles are those that we offer and choose from, in the order of [srtp.Suites].
func profiles() []dtls.SRTPProtectionProfile {
	var all []dtls.SRTPProtectionProfile
	for _, s := range srtp.Suites() {
		for profile, suite := range suites {
			if suite == s {
				all = append(all, profile)
			}
		}
	}
	return all
}

// cipher makes the keys of both sides: client key, server key, client salt, server salt.
func (a *Association) cipher(conn *dtls.Conn, state *dtls.State) (*srtp.Cipher, error) {
	profile, ok := conn.SelectedSRTPProtectionProfile()
	suite := suites[profile]
	if !ok || suite == 0 {
		return nil, ErrProfile
	}
	k, s := suite.KeySize(), suite.SaltSize()
	secret, err := state.ExportKeyingMaterial(label, nil, 2*(k+s))
	if err != nil {
		return nil, fmt.Errorf("export keys: %w", err)
	}
	client := srtp.Key{Suite: suite, Secret: join(secret[:k], secret[2*k:][:s])}
	server := srtp.Key{Suite: suite, Secret: join(secret[k:][:k], secret[2*k+s:])}
	if a.config.Active {
		return srtp.New(client, server)
	}
	return srtp.New(server, client)
}

func join(key, salt []byte) []byte { return append(append([]byte(nil), key...), salt...) }
