package store

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// fill puts something into every field of v, or leaves it empty, by chance.
func fill(r *rand.Rand, v reflect.Value) {
	if r.IntN(4) == 0 {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString([...]string{"a", "200", `"Ann" <sip:ann@example.org>;x=1`, "Jürgen & Söhne", "tab\tline\nend\x00\\", "\xff\xfe", "a\u2028b\x7f"}[r.IntN(7)])
	case reflect.Int, reflect.Int64:
		v.SetInt(r.Int64N(1000) - 500)
	case reflect.Uint64:
		v.SetUint(r.Uint64())
	case reflect.Float64:
		v.SetFloat(float64(r.IntN(100_000)) / 100)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(3), 3))
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			zone := time.FixedZone("", (r.IntN(27)-13)*1800)
			v.Set(reflect.ValueOf(time.Unix(r.Int64N(1<<33), r.Int64N(1e9)).In(zone)))
			return
		}
		for i := range v.NumField() {
			fill(r, v.Field(i))
		}
	}
}

// TestCDRJSON: what is written by hand is what package json makes of the same record, so a field that is added to one and not to the other is noticed.
func TestCDRJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 500 {
		var c CDR
		fill(r, reflect.ValueOf(&c).Elem())
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		if err := e.Encode(&c); err != nil {
			t.Fatal(err)
		}
		if got := string(c.appendJSON(nil)) + "\n"; got != want.String() {
			t.Fatalf("got\n%swant\n%s", got, want.String())
		}
	}
}
