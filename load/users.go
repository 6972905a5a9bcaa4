// Who calls and who is called: names and passwords by a pattern, or from a file.

package load

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// number stands in a pattern for the number of the user.
const number = "{n}"

// Users are those that the server knows. Either List is set, or names and passwords are made of patterns in which "{n}" is the number of the user.
type Users struct {
	Count    int    // how many there are
	First    int    // number of the first
	Name     string // pattern: "u{n}"
	Password string // pattern: "p{n}"; "" where the server does not challenge
	List     []User // instead of all above
}

// User is one of a list.
type User struct{ Name, Password string }

// ReadUsers reads a CSV file as `sipwerk account import` does: the first line names the columns, of which user and password count.
func ReadUsers(r io.Reader) ([]User, error) {
	in := csv.NewReader(r)
	in.TrimLeadingSpace = true
	head, err := in.Read()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	for i, name := range head {
		head[i] = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
	}
	user, password := slices.Index(head, "user"), slices.Index(head, "password")
	if user < 0 || password < 0 {
		return nil, errors.New("line 1: the columns user and password are not named; start the file with the line user,password")
	}
	var users []User
	for {
		fields, err := in.Read()
		if errors.Is(err, io.EOF) {
			return users, nil
		}
		if err != nil {
			return nil, err
		}
		if fields[user] == "" {
			return nil, fmt.Errorf("line %d: user: is empty; give one", len(users)+2)
		}
		users = append(users, User{fields[user], fields[password]})
	}
}

// len is how many users there are.
func (u *Users) len() int {
	if u.List != nil {
		return len(u.List)
	}
	return u.Count
}

// name appends the name of user i as digest wants it.
func (u *Users) name(b []byte, i int) []byte {
	if u.List != nil {
		return append(b, u.List[i].Name...)
	}
	return fill(b, u.Name, u.First+i)
}

// part appends the name of user i as a URI wants it.
func (u *Users) part(b []byte, i int) []byte {
	if u.List != nil {
		return append(b, sip.EscapeUser(u.List[i].Name)...)
	}
	return fill(b, u.Name, u.First+i)
}

// password returns the password of user i; "" means that there is none.
func (u *Users) password(i int) string {
	if u.List != nil {
		return u.List[i].Password
	}
	if u.Password == "" {
		return ""
	}
	return string(fill(nil, u.Password, u.First+i))
}

// fill appends a pattern with its number put in.
func fill(b []byte, pattern string, n int) []byte {
	before, after, numbered := strings.Cut(pattern, number)
	b = append(b, before...)
	if numbered {
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return append(b, after...)
}

// check reports what is wrong with the users of a plan that needs at least so many.
func (u *Users) check(least int) error {
	switch {
	case u.len() < least:
		return fmt.Errorf("load: Users: there are %d, and %d are needed", u.len(), least)
	case u.List != nil:
		return nil
	case u.Count > 1 && !strings.Contains(u.Name, number):
		return fmt.Errorf("load: Users.Name: %q gives everybody the same name; write %s where the number belongs", u.Name, number)
	case sip.EscapeUser(strings.Replace(u.Name, number, "0", 1)) != strings.Replace(u.Name, number, "0", 1):
		return fmt.Errorf("load: Users.Name: %q has characters that no user part of a URI may hold", u.Name)
	}
	return nil
}
