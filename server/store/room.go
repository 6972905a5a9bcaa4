// Conference rooms: what a room is set to. Its PINs are hashes that the store keeps as they are.

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/server/object"
)

// Room is a conference room, called at sip:User@Domain.
type Room struct {
	Domain           string
	User             string // "4000", "sales"; unique among rooms, accounts and devices of the domain
	Title            string
	PIN              string   // hash; "" for none
	ModeratorPIN     string   // hash; "" for none
	Owners           []string // accounts of the domain
	MaxMembers       int      // 0: as many as the server lets
	WaitForModerator bool
	MuteOnEntry      bool
	Quiet            bool
	Record           bool
	Factory          bool
	Created          time.Time
}

// check reports what is wrong with a room.
func (r *Room) check() error {
	if err := object.CheckUser(r.User); err != nil {
		return fmt.Errorf("room %w", err)
	}
	if err := object.CheckName(r.Title); err != nil {
		return fmt.Errorf("title %w", err)
	}
	for _, o := range r.Owners {
		if err := object.CheckUser(o); err != nil {
			return fmt.Errorf("owner %w", err)
		}
	}
	if r.MaxMembers < 0 {
		return errors.New("max is negative; give 0 for no limit of its own")
	}
	return nil
}

// values are the columns of a room behind its key, but for created.
func (r *Room) values() []any {
	bit := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	return []any{r.Title, r.PIN, r.ModeratorPIN, strings.Join(r.Owners, ","), r.MaxMembers, bit(r.WaitForModerator), bit(r.MuteOnEntry), bit(r.Quiet), bit(r.Record), bit(r.Factory)}
}

// AddRoom adds a room. It fails with [ErrExists] if a room, an account or a device is called so, or, for the domain, [ErrNotFound].
func (s *Store) AddRoom(ctx context.Context, r Room) error {
	d, err := s.Domain(ctx, r.Domain)
	if err != nil {
		return err
	}
	if err := r.check(); err != nil {
		return err
	}
	return s.change(ctx, func(tx *sql.Tx) error {
		if err := mustBeFree(ctx, tx, d.Name, r.User); err != nil {
			return err
		}
		args := append([]any{d.Name, r.User, s.now().UnixMilli()}, r.values()...)
		if _, err := tx.ExecContext(ctx, `INSERT INTO rooms (domain, sip_user, created, title, pin, moderator_pin, owners, max_members, wait_for_moderator,
			mute_on_entry, quiet, record, factory) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`, args...); err != nil {
			return fmt.Errorf("store: add room: %w", err)
		}
		return note(ctx, tx, d.Name, r.User)
	})
}

// SetRoom gives a room new settings, or fails with [ErrNotFound]. A conference under way keeps the old ones.
func (s *Store) SetRoom(ctx context.Context, r Room) error {
	if err := r.check(); err != nil {
		return err
	}
	domain := strings.ToLower(r.Domain)
	return s.change(ctx, func(tx *sql.Tx) error {
		args := append([]any{domain, r.User}, r.values()...)
		res, err := tx.ExecContext(ctx, `UPDATE rooms SET title = $3, pin = $4, moderator_pin = $5, owners = $6, max_members = $7, wait_for_moderator = $8,
			mute_on_entry = $9, quiet = $10, record = $11, factory = $12 WHERE domain = $1 AND sip_user = $2`, args...)
		if err != nil {
			return fmt.Errorf("store: set room: %w", err)
		}
		if err := oneRow(res, fmt.Errorf("room %s@%s %w", r.User, domain, ErrNotFound)); err != nil {
			return err
		}
		return note(ctx, tx, domain, r.User)
	})
}

// RemoveRoom removes a room, or fails with [ErrNotFound], or with [ErrNeeded] where an object refers to it. A conference under way goes on.
func (s *Store) RemoveRoom(ctx context.Context, domain, user string) error {
	domain = strings.ToLower(domain)
	return s.change(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "DELETE FROM rooms WHERE domain = $1 AND sip_user = $2", domain, user)
		if err != nil {
			return fmt.Errorf("store: remove room: %w", err)
		}
		if err := oneRow(res, fmt.Errorf("room %s@%s %w", user, domain, ErrNotFound)); err != nil {
			return err
		}
		if err := note(ctx, tx, domain, user); err != nil {
			return err
		}
		return s.forget(ctx, tx, domain, user)
	})
}

// Room returns a room, or an error that wraps [ErrNotFound].
func (s *Store) Room(ctx context.Context, domain, user string) (Room, error) {
	rs, err := s.readRooms(ctx, "WHERE domain = $1 AND sip_user = $2", strings.ToLower(domain), user)
	if err == nil && len(rs) == 0 {
		err = fmt.Errorf("room %s@%s %w", user, domain, ErrNotFound)
	}
	if err != nil {
		return Room{}, err
	}
	return rs[0], nil
}

// Rooms returns the rooms of a domain in the order of their users; with domain "" those of all domains.
func (s *Store) Rooms(ctx context.Context, domain string) ([]Room, error) {
	return s.readRooms(ctx, "WHERE $1 = '' OR domain = $1", strings.ToLower(domain))
}

func (s *Store) readRooms(ctx context.Context, where string, args ...any) ([]Room, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT domain, sip_user, title, pin, moderator_pin, owners, max_members, wait_for_moderator <> 0, mute_on_entry <> 0,
		quiet <> 0, record <> 0, factory <> 0, created FROM rooms `+where+" ORDER BY domain, sip_user", args...)
	if err != nil {
		return nil, fmt.Errorf("store: read rooms: %w", err)
	}
	defer rows.Close()
	var rs []Room
	for rows.Next() {
		var r Room
		var owners string
		var created int64
		if err := rows.Scan(&r.Domain, &r.User, &r.Title, &r.PIN, &r.ModeratorPIN, &owners, &r.MaxMembers, &r.WaitForModerator, &r.MuteOnEntry, &r.Quiet,
			&r.Record, &r.Factory, &created); err != nil {
			return nil, fmt.Errorf("store: read rooms: %w", err)
		}
		if owners != "" {
			r.Owners = strings.Split(owners, ",")
		}
		r.Created = time.UnixMilli(created)
		rs = append(rs, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("store: read rooms: %w", err)
	}
	return rs, nil
}

// Room returns a room of a domain from memory; ok is false if there is none. Its Owners must not be changed.
func (d *Directory) Room(domain, user string) (r Room, ok bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	r, ok = d.rooms[roomKey{domain, user}]
	return r, ok
}

// Rooms returns how many rooms there are.
func (d *Directory) Rooms() int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return len(d.rooms)
}

// roomKey names a room.
type roomKey struct{ domain, user string }

// allRooms reads every room for a new table.
func (d *Directory) allRooms(ctx context.Context) (map[roomKey]Room, error) {
	rs, err := d.store.Rooms(ctx, "")
	rooms := make(map[roomKey]Room, len(rs))
	for _, r := range rs {
		rooms[roomKey{r.Domain, r.User}] = r
	}
	return rooms, err
}

// readRoom reads one room again, or finds that there is none.
func (d *Directory) readRoom(ctx context.Context, domain, user string) error {
	r, err := d.store.Room(ctx, domain, user)
	missing := errors.Is(err, ErrNotFound)
	if err != nil && !missing {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if missing {
		delete(d.rooms, roomKey{domain, user})
	} else {
		d.rooms[roomKey{domain, user}] = r
	}
	return nil
}
