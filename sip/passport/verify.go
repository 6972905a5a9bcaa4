// The side that is shown a proof: what a verifier finds, and what it answers. RFC 8224 §6.2; RFC 8946 §4.2; RFC 8588.

package passport

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// freshness is how far the time of a token may be from ours. RFC 8224 §6.2.2: 60 seconds are recommended.
const freshness = time.Minute

// maxIdentities is how many Identity headers of a request are looked at.
const maxIdentities = 8

// Certificates finds the certificates that tokens are signed with. [Fetcher] is one.
type Certificates interface {
	// Chain returns the certificate at a URL, the signer's first, and those that lead from it to a root. It may block.
	Chain(ctx context.Context, url string) ([]*x509.Certificate, error)
}

// Verifier judges the Identity of requests. Fill the fields before first use. Safe for use by many goroutines.
type Verifier struct {
	Roots        *x509.CertPool // who may issue certificates; nil: nobody
	Certificates Certificates
}

// Verdict is what a verifier has found.
type Verdict struct {
	// Status is 0 for a caller who is proven. Otherwise it is what RFC 8224 §6.2.2 answers: 428 without a proof, 403 if it is too old, 436 if its certificate cannot be had, 437 if
	// that proves nothing, 438 if it does not fit the request.
	Status   sip.Status
	Orig     Party
	Attest   Attestation // of a shaken token
	OrigID   string      // the same
	Diverted bool        // the call was for another number before
	Err      error       // why Status is not 0
}

// The words of [Verdict.Verstat].
const (
	Passed = "TN-Validation-Passed"
	Failed = "TN-Validation-Failed"
	None   = "No-TN-Validation"
)

// Verstat is the verdict as the verstat parameter of a number says it to those behind. 3GPP TS 24.229 §7.2A.20.
func (v Verdict) Verstat() string {
	switch v.Status {
	case 0:
		return Passed
	case sip.StatusUseIdentityHeader:
		return None
	}
	return Failed
}

// Reason is the phrase of Status. RFC 8224 §6.2.2 has one of its own for 403.
func (v Verdict) Reason() string {
	if v.Status == sip.StatusForbidden {
		return "Stale Date"
	}
	return v.Status.Reason()
}

// ErrNoIdentity: a request has no Identity that could be judged.
var ErrNoIdentity = errors.New("passport: no Identity")

// fault is why a proof is none, with its status.
type fault struct {
	status sip.Status
	err    error
}

func (f *fault) Error() string { return f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

func faulty(s sip.Status, format string, args ...any) error {
	return &fault{s, fmt.Errorf("passport: "+format, args...)}
}

// Verify judges who sends req, an INVITE. It blocks as long as it takes to get the certificate; ctx bounds that.
func (v *Verifier) Verify(ctx context.Context, req *sip.Request) Verdict {
	var verdict Verdict
	err := v.verify(ctx, req, &verdict)
	if err == nil {
		return verdict
	}
	verdict.Status, verdict.Err = sip.StatusInvalidIdentityHeader, err
	if f, ok := errors.AsType[*fault](err); ok {
		verdict.Status = f.status
	}
	return verdict
}

func (v *Verifier) verify(ctx context.Context, req *sip.Request, verdict *Verdict) error {
	tokens, err := tokensOf(req)
	if err != nil {
		return err
	}
	main := original(tokens)
	if main == nil {
		return &fault{sip.StatusUseIdentityHeader, ErrNoIdentity} // of what it cannot read a verifier knows nothing: RFC 8224 §6.2
	}
	verdict.Orig, verdict.Attest, verdict.OrigID = main.Orig, main.Attest, main.OrigID
	if orig, err := caller(req); err != nil || orig != main.Orig {
		return faulty(sip.StatusInvalidIdentityHeader, "the token is about another caller")
	}
	way, err := diversions(req, main, tokens)
	if err != nil {
		return err
	}
	verdict.Diverted = len(way) > 0
	for _, t := range append(way, main) {
		signer := main.Orig
		if t.Type == Div {
			signer = t.Diverter // RFC 8946 §3: whose number it was signs
		}
		if err := v.check(ctx, t, signer); err != nil {
			return err
		}
	}
	return nil
}

// tokensOf reads what is in the Identity headers of a request, as far as it is of a known type.
func tokensOf(req *sip.Request) ([]*signed, error) {
	var tokens []*signed
	looked := 0
	for value := range req.Values(sip.HeaderIdentity) {
		if looked++; looked > maxIdentities {
			break
		}
		id, err := sip.ParseIdentity(value)
		if err != nil {
			return nil, err
		}
		if id.Algorithm != algorithm && id.Algorithm != "" || id.Type != Base && id.Type != Shaken && id.Type != Div {
			continue
		}
		t, err := readIdentity(req, id)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
	}
	return tokens, nil
}

// readIdentity reads one Identity in full form, or in the compact one, whose claims are in the request.
func readIdentity(req *sip.Request, id sip.Identity) (*signed, error) {
	id = sip.Identity{Token: strings.Clone(id.Token), Info: strings.Clone(id.Info), Type: strings.Clone(id.Type)}
	if last, ok := strings.CutPrefix(id.Token, ".."); ok {
		return compact(req, id, last)
	}
	t, err := parse(id.Token)
	if err != nil {
		return nil, err
	}
	if t.Type != id.Type || t.URL != id.Info {
		return nil, faulty(sip.StatusInvalidIdentityHeader, "info or ppt of the header is not that of the token") // RFC 8224 §4.1
	}
	return t, nil
}

// compact makes the token of a compact form. RFC 8224 §4.1, §6.2: only the base type says nothing beyond the request.
func compact(req *sip.Request, id sip.Identity, last string) (*signed, error) {
	date, err := sip.ParseDate(req.Get(sip.HeaderDate))
	if err != nil || id.Type != Base {
		return nil, faulty(sip.StatusInvalidIdentityHeader, "a compact token needs a Date and no type")
	}
	t := &signed{Token: Token{URL: id.Info, Issued: date}}
	if t.Orig, err = caller(req); err != nil {
		return nil, err
	}
	to, err := callee(req)
	if err != nil {
		return nil, err
	}
	t.Dest = []Party{to}
	t.input = t.Token.input()
	t.signature, err = signature(last)
	return t, err
}

// original is the token of a request that is about its caller; nil if there is none.
func original(tokens []*signed) *signed {
	for _, kind := range []string{Shaken, Base} {
		if i := slices.IndexFunc(tokens, func(t *signed) bool { return t.Type == kind }); i >= 0 {
			return tokens[i]
		}
	}
	return nil
}

// chain returns the div tokens that follow upon main, each upon the one before. RFC 8946 §4.2.
func chain(main *signed, tokens []*signed) (way []*signed) {
	for at := main; ; at = way[len(way)-1] {
		i := slices.IndexFunc(tokens, func(t *signed) bool {
			return t.Type == Div && t.Orig == main.Orig && names(at.Dest, t.Diverter) && !slices.Contains(way, t)
		})
		if i < 0 {
			return way
		}
		way = append(way, tokens[i])
	}
}

// diversions returns the div tokens that lead from whom the caller has called to whom the request is for: the Request-URI says it when a call was sent on (RFC 8946 §4.2), or To does.
func diversions(req *sip.Request, main *signed, tokens []*signed) ([]*signed, error) {
	to, err := callee(req)
	if err != nil {
		return nil, err
	}
	way := chain(main, tokens)
	if n := len(way); n > 0 && names(way[n-1].Dest, PartyOf(req.URI)) {
		return way, nil
	}
	for i, t := range append([]*signed{main}, way...) {
		if names(t.Dest, to) {
			return way[:i], nil
		}
	}
	return nil, faulty(sip.StatusInvalidIdentityHeader, "the token is about another callee")
}

// check judges one token: its time, its certificate, its signature.
func (v *Verifier) check(ctx context.Context, t *signed, signer Party) error {
	if time.Since(t.Issued).Abs() > freshness {
		return faulty(sip.StatusForbidden, "the token is of %s", t.Issued.UTC().Format(time.RFC3339))
	}
	chain, err := v.Certificates.Chain(ctx, t.URL)
	if errors.Is(err, errCertificate) {
		return &fault{sip.StatusUnsupportedCredential, err}
	}
	if err != nil {
		return &fault{sip.StatusBadIdentityInfo, err}
	}
	if err := trust(chain, v.Roots, time.Now()); err != nil {
		return &fault{sip.StatusUnsupportedCredential, err}
	}
	if err := speaksFor(chain[0], signer); err != nil {
		return &fault{sip.StatusUnsupportedCredential, err}
	}
	if key, ok := chain[0].PublicKey.(*ecdsa.PublicKey); !ok || !t.by(key) {
		return faulty(sip.StatusInvalidIdentityHeader, "the signature is wrong")
	}
	return nil
}

// by reports whether a token was signed with a key. RFC 7518 §3.4.
func (t *signed) by(key *ecdsa.PublicKey) bool {
	sum := sha256.Sum256([]byte(t.input))
	r, s := new(big.Int).SetBytes(t.signature[:signatureLength/2]), new(big.Int).SetBytes(t.signature[signatureLength/2:])
	return ecdsa.Verify(key, sum[:], r, s)
}
