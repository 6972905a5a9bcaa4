// The table behind the directory: a million users without a million pointers, so that the garbage collector has nothing to look at.

package store

import (
	"hash/maphash"
	"unsafe"

	"github.com/sipwerk/sipwerk/internal/slab"
	"github.com/sipwerk/sipwerk/sip/digest"
)

// table maps domain and user to User. It is not safe for concurrent use, except by several readers. Bytes in it never change, so strings taken from it stay valid for
// good: a user that is put again is written anew, and the old bytes are garbage until the table is made anew.
type table struct {
	seed    maphash.Seed
	users   slab.Map
	size    int // bytes of records
	garbage int // of these, of records that have been replaced
}

// maxText is the most that a text of a user may have; the rest of a longer one is cut.
const maxText = 255

// How a record lies: what there is, the lengths of account and name, their texts, the hashes. An account that is called like the user is left out.
const (
	recordFlags = iota
	recordAccount
	recordName
	recordTexts

	flagDevice = 1 << 0
	flagSame   = 1 << 1 // the account is called like the user
)

// userKey is memory for the key of a user: the domain, an "@", the user.
type userKey [2*maxText + 1]byte

func (k *userKey) of(domain, user string) []byte {
	b := append(k[:0], domain[:min(len(domain), maxText)]...)
	return append(append(b, '@'), user[:min(len(user), maxText)]...)
}

func newTable() *table { return &table{seed: maphash.MakeSeed()} }

func (t *table) len() int { return t.users.Len() }

// wasteful reports whether most of the table is garbage.
func (t *table) wasteful() bool { return t.garbage > 64<<10 && t.garbage > t.size/2 }

func (t *table) hash(key []byte) uint32 { return uint32(maphash.Bytes(t.seed, key) >> 32) }

// find returns the record of a user, nil if there is none.
func (t *table) find(domain, user string) record {
	var k userKey
	key := k.of(domain, user)
	ref := t.users.Get(t.hash(key), key)
	if ref == 0 {
		return record{}
	}
	return record{key: t.users.Key(ref), value: t.users.Record(ref), user: len(user)}
}

// record is what the table holds of one user, whose name is the last bytes of its key.
type record struct {
	key, value []byte
	user       int
}

func (r record) found() bool { return r.value != nil }

func (r record) device() bool { return r.value[recordFlags]&flagDevice != 0 }

func (r record) account() string {
	if r.value[recordFlags]&flagSame != 0 {
		return text(r.key[len(r.key)-r.user:])
	}
	return text(r.value[recordTexts:][:r.value[recordAccount]])
}

func (r record) name() string {
	return text(r.value[recordTexts+int(r.value[recordAccount]):][:r.value[recordName]])
}

// ha1 returns the hash of one algorithm, zero if the user is no device.
func (r record) ha1(a digest.Algorithm) (h digest.HA1) {
	if !r.device() {
		return h
	}
	at := recordTexts + int(r.value[recordAccount]) + int(r.value[recordName])
	for b := digest.MD5; b < a; b++ {
		at += b.Size()
	}
	copy(h[:a.Size()], r.value[at:])
	return h
}

// text gives the bytes of a record as a string.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func (t *table) get(domain, user string) (User, bool) {
	r := t.find(domain, user)
	if !r.found() {
		return User{}, false
	}
	u := User{Account: r.account(), Name: r.name(), Device: r.device()}
	for _, a := range [...]digest.Algorithm{digest.MD5, digest.SHA256, digest.SHA512256} {
		u.HA1[a-digest.MD5] = r.ha1(a)
	}
	return u, true
}

// put adds a user or replaces it.
func (t *table) put(domain, user string, u User) {
	t.remove(domain, user)
	var k userKey
	key := k.of(domain, user)
	account, name := u.Account[:min(len(u.Account), maxText)], u.Name[:min(len(u.Name), maxText)]
	var flags byte
	if account == user {
		flags, account = flagSame, ""
	}
	value := append(make([]byte, 0, 1024), flags, byte(len(account)), byte(len(name)))
	value = append(append(value, account...), name...)
	if u.Device {
		value[recordFlags] |= flagDevice
		for _, a := range [...]digest.Algorithm{digest.MD5, digest.SHA256, digest.SHA512256} {
			value = append(value, u.HA1.bytes(a)...)
		}
	}
	t.users.Add(t.hash(key), key, value)
	t.size += len(key) + len(value)
}

// remove takes a user out, if it is there.
func (t *table) remove(domain, user string) {
	var k userKey
	key := k.of(domain, user)
	if ref := t.users.Get(t.hash(key), key); ref != 0 {
		t.garbage += len(key) + len(t.users.Record(ref))
		t.users.Forget(ref)
	}
}
