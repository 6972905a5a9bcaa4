// The snapshots of the directory: the objects of each domain, read by everybody without a lock and never changed.

package store

import (
	"context"
	"fmt"
	"maps"
	"reflect"

	"github.com/sipwerk/sipwerk/server/object"
)

// snapshots are the settings by domain.
type snapshots map[string]*object.Settings

// Settings returns the objects of a domain, none for one that is not known. They are never changed: the same pointer is the same settings.
func (d *Directory) Settings(domain string) *object.Settings {
	if set, ok := (*d.settings.Load())[domain]; ok {
		return set
	}
	return &object.Settings{Domain: domain}
}

// Reveal returns a secret of an object in clear.
func (d *Directory) Reveal(secret object.Secret) (string, error) { return d.store.Reveal(secret) }

// Watch calls f with the settings of each domain that has changed, from then on, and now with those that there are. It must not block: the directory waits for it.
func (d *Directory) Watch(f func(*object.Settings)) {
	d.refresh.Lock()
	defer d.refresh.Unlock()
	d.watchers = append(d.watchers, f)
	for _, set := range *d.settings.Load() {
		f(set)
	}
}

// publish makes settings those that everybody sees, and tells who watches. refresh is held.
func (d *Directory) publish(changed snapshots) {
	if len(changed) == 0 {
		return
	}
	all := make(snapshots)
	maps.Copy(all, *d.settings.Load())
	maps.Copy(all, changed)
	d.settings.Store(&all)
	for _, set := range changed {
		for _, f := range d.watchers {
			f(set)
		}
	}
}

// Rooms returns how many rooms there are.
func (d *Directory) Rooms() (n int) {
	for _, set := range *d.settings.Load() {
		n += len(set.Rooms)
	}
	return n
}

// readSnapshots reads the objects of all domains.
func (d *Directory) readSnapshots(ctx context.Context, seq int64) error {
	domains, err := d.store.Domains(ctx)
	if err != nil {
		return err
	}
	changed := make(snapshots, len(domains))
	for _, dom := range domains {
		set, err := readSettings(ctx, d.store.db, dom.Name)
		if err != nil {
			return err
		}
		if before, known := (*d.settings.Load())[dom.Name]; known {
			if set.Version = before.Version; reflect.DeepEqual(set, before) {
				continue // whoever watches has nothing to do
			}
		}
		set.Version = seq
		changed[dom.Name] = set
	}
	d.publish(changed)
	return nil
}

// readObjects reads again the objects that notes are about: all at once, so that what was changed together is seen together.
func (d *Directory) readObjects(ctx context.Context, cs []change) error {
	changed := make(snapshots)
	for _, c := range cs {
		if c.kind == "" {
			continue
		}
		set := changed[c.domain]
		if set == nil {
			set = d.Settings(c.domain).Clone()
			changed[c.domain] = set
		}
		set.Version = c.seq
		if err := d.readObject(ctx, set, c); err != nil {
			return err
		}
	}
	d.publish(changed)
	return nil
}

// readObject reads one object into settings, or takes it out if it is gone.
func (d *Directory) readObject(ctx context.Context, set *object.Settings, c change) error {
	k := object.KindNamed(c.kind)
	if k == nil {
		return nil
	}
	rows, err := d.store.db.QueryContext(ctx, "SELECT value FROM objects WHERE domain = $1 AND kind = $2 AND name = $3", c.domain, c.kind, c.user)
	if err != nil {
		return fmt.Errorf("store: read objects: %w", err)
	}
	defer rows.Close()
	if !rows.Next() {
		set.Remove(k, c.user)
		return rows.Err()
	}
	var value string
	if err := rows.Scan(&value); err != nil {
		return fmt.Errorf("store: read objects: %w", err)
	}
	o, err := decodeObject(c.kind, value)
	if err == nil {
		set.Put(o)
	}
	return err
}
