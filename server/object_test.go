// Settings that are changed while a server runs.

package server

import (
	"errors"
	"testing"

	"github.com/sipwerk/sipwerk/server/object"
)

// edit changes the objects of the domain of a server, which knows of it at once.
func edit(t *testing.T, s *Server, f func(*object.Settings)) {
	t.Helper()
	_, err := s.Store.Edit(t.Context(), s.Domain.Name, func(set *object.Settings) error { f(set); return nil })
	if err := errors.Join(err, s.Refresh(t.Context())); err != nil {
		t.Fatal(err)
	}
}
