// Package setup changes what a company has set up, with everything that is looked at before it goes live, and says where its calls would go. No server need run: one that does knows of a change within
// a second. The command line stands on these functions, and so will whatever else edits.
package setup

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"

	"github.com/sipwerk/sipwerk/server/dial"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/service/conference"
)

// Setup changes the settings of the domains of a store.
type Setup struct {
	Store *store.Store
	Env   func(string) (string, bool) // nil: os.LookupEnv
	// Read reads what a reference to a secret names beside env:NAME and file:PATH, such as "-" for standard input; nil: nothing.
	Read func(reference string) (secret string, err error)
}

// Change is what an edit has done, or would do.
type Change struct {
	store.Revision
	PINs     []MadePIN   // that were made: they are shown once and not kept
	Affected []string    // who notices a document: "account 200", "group 600", or "everybody"
	Tests    []dial.Test // of the dial plan, as they would go; a change with which one fails is not made
}

// MadePIN is a PIN that was asked for by the word "new".
type MadePIN struct{ Kind, Name, Field, PIN string }

// Edit changes the objects of a domain, as [store.Store.Edit] does. Secrets and PINs that f sets are references: keep, none, env:NAME, file:PATH, and of PINs digits or new.
func (s *Setup) Edit(ctx context.Context, domain string, f func(*object.Settings) error) (*Change, error) {
	return s.revise(ctx, domain, store.Draft{Change: func(c *store.Company) error { return f(c.Settings) }})
}

// revise makes a draft that keeps its secrets.
func (s *Setup) revise(ctx context.Context, domain string, draft store.Draft) (*Change, error) {
	change := new(Change)
	edit := draft.Change
	draft.Change = func(c *store.Company) (err error) {
		kept := keptSecrets(c.Settings)
		if err := edit(c); err != nil {
			return err
		}
		change.PINs, err = s.keep(c.Settings, kept)
		return err
	}
	draft.Verify = func(c *store.Company, _ *store.Revision) (err error) {
		if change.Tests, err = CheckPlan(ctx, c.Settings, residents{c}); err == nil && !draft.Try {
			err = dial.Failed(change.Tests)
		}
		return err
	}
	r, err := s.Store.Revise(ctx, domain, draft)
	if err != nil {
		return nil, err
	}
	change.Revision = *r
	return change, nil
}

// secretOf names a secret of a domain.
type secretOf struct{ kind, name, field string }

// keptSecrets are the secrets and PINs that there are.
func keptSecrets(set *object.Settings) map[secretOf]string {
	kept := make(map[secretOf]string)
	eachSecret(set, func(o object.Object, f object.Field) error {
		kept[secretOf{object.KindOf(o).Name, object.NameOf(o), f.Name}] = f.Sealed(o)
		return nil
	})
	return kept
}

// eachSecret calls f with each field of each object that holds a secret or a PIN, until an error.
func eachSecret(set *object.Settings, f func(object.Object, object.Field) error) error {
	for _, k := range object.Kinds() {
		var secrets []object.Field
		for _, field := range k.Fields() {
			if field.Secret() {
				secrets = append(secrets, field)
			}
		}
		if len(secrets) == 0 {
			continue
		}
		for o := range set.Objects(k) {
			for _, field := range secrets {
				if err := f(o, field); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// keep replaces every reference by the secret that it names, sealed, or by the hash of the PIN.
func (s *Setup) keep(set *object.Settings, kept map[secretOf]string) (made []MadePIN, err error) {
	err = eachSecret(set, func(o object.Object, f object.Field) error {
		at := secretOf{object.KindOf(o).Name, object.NameOf(o), f.Name}
		reference := f.Sealed(o)
		if reference == "" || reference == kept[at] {
			return nil
		}
		if reference == object.Keep {
			if kept[at] == "" {
				return object.Fault(o, f.Name, "there is none to keep; %s", cureOf(f))
			}
			f.Seal(o, kept[at])
			return nil
		}
		sealed, pin, err := s.seal(f, reference)
		if err != nil {
			return object.Fault(o, f.Name, "%v", err)
		}
		f.Seal(o, sealed)
		if pin != "" {
			made = append(made, MadePIN{at.kind, at.name, at.field, pin})
		}
		return nil
	})
	return made, err
}

// cureOf says how a secret or a PIN is given.
func cureOf(f object.Field) string {
	if f.PIN() {
		return "write 4 to 16 digits, new to have one made, or none"
	}
	return "write env:NAME for a variable of the environment, file:PATH for a file, - for standard input (on the command line), or none"
}

// seal reads a reference and returns what is kept, and the PIN if one was made.
func (s *Setup) seal(f object.Field, reference string) (sealed, pin string, err error) {
	switch {
	case reference == "none":
		return "", "", nil
	case f.PIN():
		if reference == "new" {
			if pin, err = newPIN(); err != nil {
				return "", "", err
			}
			reference = pin
		}
		sealed, err = HashPIN(reference)
		if err != nil {
			err = errors.New("is no PIN; " + cureOf(f))
		}
		return sealed, pin, err
	}
	secret, err := s.read(f, reference)
	return string(s.Store.Seal(secret)), "", err
}

// read returns the secret that a reference names.
func (s *Setup) read(f object.Field, reference string) (string, error) {
	kind, name, _ := strings.Cut(reference, ":")
	switch {
	case kind == "env":
		env := s.Env
		if env == nil {
			env = os.LookupEnv
		}
		if v, ok := env(name); ok && v != "" {
			return v, nil
		}
		return "", fmt.Errorf("the environment has no %s; set it, or name another", name)
	case kind == "file":
		b, err := os.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("%w; name a file that can be read", err)
		}
		return strings.TrimRight(string(b), "\r\n"), nil
	case s.Read != nil:
		if secret, err := s.Read(reference); secret != "" || err != nil {
			return secret, err
		}
	}
	return "", errors.New("a secret is not written down here; " + cureOf(f))
}

// newPIN makes a PIN of six digits.
func newPIN() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%06d", n), nil
}

// HashPIN returns the hash of the PIN of a room, for [object.Room]; a PIN has 4 to 16 digits.
func HashPIN(digits string) (string, error) {
	pin, err := conference.NewPIN(digits)
	return string(pin), err
}
