// Greetings: what a box says for its owner.

package voicemail

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/sipwerk/sipwerk/service/pbx"
)

// greeting is the file of a greeting.
func (v *Keeper) greeting(box *pbx.Box, g pbx.Greeting) string {
	domain, account := AccountOf(box.Name())
	return filepath.Join(v.folder, domain, account, "greetings", string(g)+".wav")
}

// Greeting implements [pbx.Boxes].
func (v *Keeper) Greeting(box *pbx.Box, g pbx.Greeting) (string, bool) {
	file := v.greeting(box, g)
	_, err := os.Stat(file)
	return file, err == nil
}

// RecordGreeting implements [pbx.Boxes].
func (v *Keeper) RecordGreeting(box *pbx.Box, g pbx.Greeting, rate int) (pbx.Take, error) {
	file := v.greeting(box, g)
	t, err := newTape(file+".part", rate)
	if err != nil {
		return nil, err
	}
	return &greetingTake{t, file}, nil
}

// RemoveGreeting implements [pbx.Boxes].
func (v *Keeper) RemoveGreeting(box *pbx.Box, g pbx.Greeting) error {
	if err := os.Remove(v.greeting(box, g)); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("voicemail: remove greeting: %w", err)
	}
	return nil
}

// greetingTake is a greeting that is being spoken.
type greetingTake struct {
	*tape
	name string // the file that it becomes
}

// Keep implements [pbx.Take].
func (t *greetingTake) Keep(context.Context, time.Duration) error {
	if err := t.finish(); err != nil {
		return err
	}
	if err := os.Rename(t.File(), t.name); err != nil {
		return fmt.Errorf("voicemail: keep greeting: %w", err)
	}
	return syncFolder(filepath.Dir(t.name))
}

// Drop implements [pbx.Take].
func (t *greetingTake) Drop() {
	t.close()
	_ = os.Remove(t.File()) // behind Keep it has another name
}
