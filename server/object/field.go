// The fields of objects, read from the tags of their structs:
//
//	json      the name, everywhere
//	doc       what it means; the first sentence is the help of its flag
//	default   the value of a new object
//	choice    the words that it may hold, separated by commas
//	is        what its text, or each of its texts, must be: see rules in check.go
//	range     the least and the most of a number or a time span: "1s,1h"
//	flag      the name of the flag of a list, where one item is given at a time: "member" for members
//	example   a value that makes sense

package object

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Field is one field of a kind.
type Field struct {
	Name    string
	Flag    string // of its flag, without dashes
	Doc     string
	Default string // as text; "" for none
	Example string
	Choices []string
	Is      string
	Key     bool // it names the object

	index     []int
	typ       reflect.Type
	fresh     string // its text in a new object
	least     int64
	most      int64
	hasLimits bool
}

// Fields returns the fields of a kind in the order of its struct. The list must not be changed.
func (k *Kind) Fields() []Field { return k.fields }

// fieldOf reads the tags of a field.
func fieldOf(sf reflect.StructField) Field {
	f := Field{Name: sf.Tag.Get("json"), Flag: sf.Tag.Get("flag"), Doc: sf.Tag.Get("doc"), Default: sf.Tag.Get("default"), Example: sf.Tag.Get("example"),
		Is: sf.Tag.Get("is"), index: sf.Index, typ: sf.Type}
	if f.Flag == "" {
		f.Flag = f.Name
	}
	if c := sf.Tag.Get("choice"); c != "" {
		f.Choices = strings.Split(c, ",")
	}
	if least, most, ok := strings.Cut(sf.Tag.Get("range"), ","); ok {
		f.least, f.most, f.hasLimits = limit(sf.Type, least), limit(sf.Type, most), true
	}
	return f
}

// limit reads one end of a range.
func limit(t reflect.Type, text string) int64 {
	v := reflect.New(t).Elem()
	if err := setText(v, text); err != nil {
		panic("object: range: " + err.Error()) // a fault of this program; every start reads all kinds
	}
	return v.Int()
}

// Field returns the field called name; ok is false if the kind has none.
func (k *Kind) Field(name string) (f Field, ok bool) {
	fs := k.Fields()
	i := slices.IndexFunc(fs, func(f Field) bool { return f.Name == name })
	if i < 0 {
		return f, false
	}
	return fs[i], true
}

// Short returns the first sentence of Doc, without its full stop and back quotes: the help of its flag.
func (f Field) Short() string {
	first, _, _ := strings.Cut(f.Doc, ". ")
	return strings.ReplaceAll(strings.TrimSuffix(first, "."), "`", "")
}

// List reports whether the field holds several values.
func (f Field) List() bool { return f.typ.Kind() == reflect.Slice || f.typ.Kind() == reflect.Map }

// Structs reports whether the field is a list of structs, which are written as YAML.
func (f Field) Structs() bool { return f.typ.Kind() == reflect.Slice && isPlainStruct(f.typ.Elem()) }

// Value returns the field of an object for JSON; a list that holds nothing is empty, not null.
func (f Field) Value(o Object) any {
	v := f.value(o)
	switch {
	case v.Kind() == reflect.Slice && v.IsNil():
		return []any{}
	case v.Kind() == reflect.Map && v.IsNil():
		return map[string]any{}
	}
	return v.Interface()
}

// Bool reports whether the field is yes or no.
func (f Field) Bool() bool { return f.typ.Kind() == reflect.Bool }

// Secret reports whether the field is written but never shown.
func (f Field) Secret() bool {
	return f.typ == reflect.TypeFor[Secret]() || f.PIN()
}

// PIN reports whether the field is the hash of a PIN.
func (f Field) PIN() bool { return f.typ == reflect.TypeFor[PIN]() }

// Sealed returns a secret as it is kept, or a PIN, or the reference to one that was set and is not kept yet.
func (f Field) Sealed(o Object) string { return f.value(o).String() }

// Seal sets a secret or a PIN as it is kept.
func (f Field) Seal(o Object, sealed string) { f.value(o).SetString(sealed) }

// value is the field of an object.
func (f Field) value(o Object) reflect.Value { return reflect.ValueOf(o).Elem().FieldByIndex(f.index) }

// IsDefault reports whether the field of o holds what a new object holds.
func (f Field) IsDefault(o Object) bool { return Text(f.value(o)) == f.fresh }

// Text returns the field of an object as [Field.Set] takes it; of a secret only whether there is one.
func (f Field) Text(o Object) string {
	if f.Secret() {
		if f.value(o).String() == "" {
			return ""
		}
		return Keep
	}
	return Text(f.value(o))
}

// Set gives the field of o a value that is written as text: a list with commas between its items, pairs as key=value, structs as YAML. An error is an [*Error].
func (f Field) Set(o Object, text string) error {
	if err := setText(f.value(o), text); err != nil {
		return Fault(o, f.Name, "%v", err)
	}
	return nil
}

// setDefaults gives the fields of a struct their defaults.
func setDefaults(v reflect.Value) {
	for _, sf := range reflect.VisibleFields(v.Type()) {
		if d := sf.Tag.Get("default"); d != "" {
			if err := setText(v.FieldByIndex(sf.Index), d); err != nil {
				panic(fmt.Sprintf("object: default of %s.%s: %v", v.Type(), sf.Name, err)) // a fault of this program; every start reads all kinds
			}
		}
	}
}

// setText reads a value from text.
func setText(v reflect.Value, text string) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(strings.TrimSpace(text)))
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		return setBool(v, text)
	case reflect.Int:
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil {
			return fmt.Errorf("%q is no whole number; write one", text)
		}
		v.SetInt(int64(n))
	case reflect.Slice:
		return setList(v, text)
	case reflect.Map:
		return setPairs(v, text)
	default:
		return setYAML(v, text)
	}
	return nil
}

// setBool reads yes or no.
func setBool(v reflect.Value, text string) error {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "yes", "true", "on":
		v.SetBool(true)
	case "no", "false", "off":
		v.SetBool(false)
	default:
		return fmt.Errorf("%q is neither yes nor no; write one of them", text)
	}
	return nil
}

// setList reads items with commas between them; structs as a list of YAML.
func setList(v reflect.Value, text string) error {
	if plain := v.Type().Elem(); plain.Kind() == reflect.Struct && !reflect.PointerTo(plain).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return setYAML(v, text)
	}
	list := reflect.MakeSlice(v.Type(), 0, 4)
	for item := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(item) == "" {
			continue
		}
		one := reflect.New(v.Type().Elem()).Elem()
		if err := setText(one, strings.TrimSpace(item)); err != nil {
			return err
		}
		list = reflect.Append(list, one)
	}
	v.Set(none(list))
	return nil
}

// setPairs reads key=value with commas between them.
func setPairs(v reflect.Value, text string) error {
	pairs := reflect.MakeMap(v.Type())
	for item := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(item) == "" {
			continue
		}
		key, value, ok := strings.Cut(item, "=")
		if !ok {
			return fmt.Errorf("%q is no pair; write key=value", item)
		}
		pairs.SetMapIndex(reflect.ValueOf(strings.TrimSpace(key)), reflect.ValueOf(strings.TrimSpace(value)))
	}
	v.Set(none(pairs))
	return nil
}

// none is nil for an empty list: an object that was given an empty one is the same as one that was given none.
func none(v reflect.Value) reflect.Value {
	if v.Len() == 0 {
		return reflect.Zero(v.Type())
	}
	return v
}

// Text writes a value as setText takes it.
func Text(v reflect.Value) string {
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		b, _ := m.MarshalText() // of our types, which can all be written
		return string(b)
	}
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			return "yes"
		}
		return "no"
	case reflect.Int:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Slice:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = Text(v.Index(i))
		}
		return strings.Join(items, ",")
	case reflect.Map:
		var items []string
		for _, key := range v.MapKeys() {
			items = append(items, key.String()+"="+v.MapIndex(key).String())
		}
		slices.Sort(items)
		return strings.Join(items, ",")
	case reflect.Struct:
		return flow(v)
	}
	return v.String()
}
