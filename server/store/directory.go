// The directory: every user that can be called or can log in, and every object, in memory, for the path of a message. It follows the log of changes.

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/sip/digest"
)

// User is what the directory knows of a user of a domain: an account, a device, both under one name, or a number.
type User struct {
	Account string // the account called, or the one the device belongs to
	Name    string // the account's display name
	Device  bool   // it can log in; HA1 is set
	HA1     HA1
}

// Directory is the accounts, devices and objects of all domains in memory. Its methods may be called from any goroutine and never wait for the disk, except [Directory.Refresh].
type Directory struct {
	store *Store

	refresh  sync.Mutex // held by the one who reads changes; seq and who watches belong to it
	seq      int64
	watchers []func(*object.Settings)
	curious  []func() // of users
	whole    []func() // of users and objects

	settings atomic.Pointer[snapshots]

	mu    sync.RWMutex // guards what follows
	users *table
	realm map[string]string // domain → realm
}

// NewDirectory reads everything.
func NewDirectory(ctx context.Context, s *Store) (*Directory, error) {
	d := &Directory{store: s, seq: -1}
	d.settings.Store(new(snapshots))
	_, err := d.Refresh(ctx)
	return d, err
}

// Lookup returns what is known of user in domain; both are compared as written, domain in lower case. ok is false if there is no such user.
func (d *Directory) Lookup(domain, user string) (u User, ok bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.users.get(domain, user)
}

// Account returns the account that user names in domain, itself or by one of its devices or numbers.
func (d *Directory) Account(domain, user string) (account string, ok bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	r := d.users.find(domain, user)
	if !r.found() {
		return "", false
	}
	return r.account(), true
}

// HA1 returns the hash of the secret of the device called user; ok is false if there is no such device.
func (d *Directory) HA1(domain, user string, a digest.Algorithm) (h digest.HA1, ok bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	r := d.users.find(domain, user)
	if !r.found() || !r.device() {
		return h, false
	}
	return r.ha1(a), true
}

// Realm returns the realm of a domain; ok is false if this server does not answer for it.
func (d *Directory) Realm(domain string) (realm string, ok bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	realm, ok = d.realm[domain]
	return realm, ok
}

// Len returns how many users there are.
func (d *Directory) Len() int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.users.len()
}

// Follow refreshes the directory at the interval given until ctx ends. What fails is logged once until it works again.
func (d *Directory) Follow(ctx context.Context, interval time.Duration, log *slog.Logger) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := d.Catch(ctx, log)
		if err != nil && ctx.Err() == nil && !failing {
			log.Error("the directory cannot follow the database", "err", err)
		}
		failing = err != nil
	}
}

// Catch is [Directory.Refresh], with a line in the log if there was something.
func (d *Directory) Catch(ctx context.Context, log *slog.Logger) error {
	n, err := d.Refresh(ctx)
	if n > 0 {
		log.Info("the directory has changed", "changes", n, "users", d.Len())
	}
	return err
}

// Refresh reads what has changed since the last time and returns how many changes there were. While everything is read again, look-ups go on in the old table.
func (d *Directory) Refresh(ctx context.Context) (int, error) {
	d.refresh.Lock()
	defer d.refresh.Unlock()
	last, err := d.store.lastChange(ctx)
	if err != nil || last == d.seq {
		return 0, err
	}
	cs, all, err := d.store.changesSince(ctx, max(d.seq, 0))
	if err != nil {
		return 0, err
	}
	if d.seq < 0 || all || last < d.seq || d.wasteful() {
		if err := errors.Join(d.readAll(ctx), d.readSnapshots(ctx, last)); err != nil {
			return 0, err
		}
		d.seq = last
		d.tell(true)
		return max(len(cs), 1), nil
	}
	if err := d.readObjects(ctx, cs); err != nil {
		return 0, err
	}
	changed := false
	for _, c := range cs {
		if c.kind != "" {
			d.seq = c.seq
			continue
		}
		if err := d.readOne(ctx, c.domain, c.user); err != nil {
			return 0, err
		}
		d.seq, changed = c.seq, true
	}
	d.tell(changed)
	return len(cs), nil
}

// WatchUsers calls f whenever accounts, devices or numbers have changed, from then on. It must not block: the directory waits for it.
func (d *Directory) WatchUsers(f func()) {
	d.refresh.Lock()
	defer d.refresh.Unlock()
	d.curious = append(d.curious, f)
}

// WatchAll calls f whenever something has changed, users or objects of any domain, from then on: once, when all of it can be read. It must not block: the directory waits for it.
func (d *Directory) WatchAll(f func()) {
	d.refresh.Lock()
	defer d.refresh.Unlock()
	d.whole = append(d.whole, f)
}

// tell tells whoever watches that everything new can be read; users says that users are among it.
func (d *Directory) tell(users bool) {
	if users {
		for _, f := range d.curious {
			f()
		}
	}
	for _, f := range d.whole {
		f()
	}
}

// wasteful reports whether so many texts have been replaced that the table is better made anew.
func (d *Directory) wasteful() bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.users.wasteful()
}

// A user is a device with its account, an account without a device of its own name, or a number with its account.
const (
	selectDevices = `SELECT d.domain, d.sip_user, d.account, a.name, d.ha1_md5, d.ha1_sha256, d.ha1_sha512_256
		FROM devices d JOIN accounts a ON a.domain = d.domain AND a.sip_user = d.account`
	selectOthers = ` UNION ALL SELECT a.domain, a.sip_user, a.sip_user, a.name, NULL, NULL, NULL FROM accounts a
		WHERE NOT EXISTS (SELECT 1 FROM devices d WHERE d.domain = a.domain AND d.sip_user = a.sip_user)`
	selectNumbers = ` UNION ALL SELECT n.domain, n.number, n.account, a.name, NULL, NULL, NULL
		FROM numbers n JOIN accounts a ON a.domain = n.domain AND a.sip_user = n.account`
	selectUsers = selectDevices + selectOthers + selectNumbers
	selectUser  = selectDevices + " WHERE d.domain = $1 AND d.sip_user = $2" + selectOthers + " AND a.domain = $1 AND a.sip_user = $2" +
		selectNumbers + " WHERE n.domain = $1 AND n.number = $2"
)

// readAll makes a new table from the whole database.
func (d *Directory) readAll(ctx context.Context) error {
	domains, err := d.store.Domains(ctx)
	if err != nil {
		return err
	}
	realm := make(map[string]string, len(domains))
	for _, dom := range domains {
		realm[dom.Name] = dom.Realm
	}
	t := newTable()
	rows, err := d.store.db.QueryContext(ctx, selectUsers)
	if err != nil {
		return fmt.Errorf("store: read users: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		n, err := scanUser(rows)
		if err != nil {
			return err
		}
		t.put(n.domain, n.user, n.User)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("store: read users: %w", err)
	}
	d.mu.Lock()
	d.users, d.realm = t, realm
	d.mu.Unlock()
	return nil
}

// readOne reads one user again.
func (d *Directory) readOne(ctx context.Context, domain, user string) error {
	rows, err := d.store.db.QueryContext(ctx, selectUser, domain, user)
	if err != nil {
		return fmt.Errorf("store: read user: %w", err)
	}
	defer rows.Close()
	found := rows.Next()
	var n named
	if found {
		if n, err = scanUser(rows); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("store: read user: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if found {
		d.users.put(domain, user, n.User)
	} else {
		d.users.remove(domain, user)
	}
	return nil
}

// named is a user with its key.
type named struct {
	domain, user string
	User
}

func scanUser(rows *sql.Rows) (n named, err error) {
	var md5, sha256, sha512256 sql.RawBytes
	if err := rows.Scan(&n.domain, &n.user, &n.Account, &n.Name, &md5, &sha256, &sha512256); err != nil {
		return n, fmt.Errorf("store: read user: %w", err)
	}
	n.Device = md5 != nil
	copy(n.HA1.bytes(digest.MD5), md5)
	copy(n.HA1.bytes(digest.SHA256), sha256)
	copy(n.HA1.bytes(digest.SHA512256), sha512256)
	return n, nil
}
