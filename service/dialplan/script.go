// Scripts: rules in Starlark. A script sees the facts of a call and nothing else: no file, no network, no clock, nothing of an earlier call, and it may take so many steps.

package dialplan

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	"go.starlark.net/syntax"
)

// maxSteps is how many steps a script may take for one call: some milliseconds.
const maxSteps = 50_000

// script is one that has been read. Its globals are frozen, so that it can run for many calls at once.
type script struct {
	route starlark.Callable
}

// readScript reads a script and runs what stands outside its functions.
func (p *Plan) readScript(text string) (*script, error) {
	if len(text) > maxScript {
		return nil, fmt.Errorf("is longer than %d bytes; shorten it", maxScript)
	}
	thread := newThread()
	globals, err := starlark.ExecFileOptions(&syntax.FileOptions{}, thread, "rule", text, nil)
	if err != nil {
		return nil, err
	}
	globals.Freeze()
	route, ok := globals["route"].(starlark.Callable)
	if !ok {
		return nil, errors.New("has no function route; write def route(call): and return a target, or None")
	}
	return &script{route}, nil
}

func newThread() *starlark.Thread {
	thread := &starlark.Thread{Name: "rule", Print: func(*starlark.Thread, string) {}}
	thread.SetMaxExecutionSteps(maxSteps)
	return thread
}

// run asks a script where a call goes.
func (s *script) run(ctx context.Context, f *Facts) (Answer, error) {
	thread := newThread()
	defer context.AfterFunc(ctx, func() { thread.Cancel("time is over") })()
	out, err := starlark.Call(thread, s.route, starlark.Tuple{f.starlark()}, nil)
	if err != nil {
		return Answer{}, err
	}
	return readAnswer(out)
}

// starlark are the facts as a script sees them: call.dialled, call.open("office").
func (f *Facts) starlark() starlark.Value {
	text := func(s string) starlark.Value { return starlark.String(s) }
	return starlarkstruct.FromStringDict(starlarkstruct.Default, starlark.StringDict{
		"caller": text(f.Caller), "account": text(f.Account), "trunk": text(f.Trunk), "anonymous": starlark.Bool(f.Anonymous), "dialled": text(f.Dialled), "number": text(f.Number),
		"country": text(f.Country), "kind": text(f.Kind), "how": text(f.How), "by": text(f.By), "weekday": text(f.Weekday), "date": text(f.Date), "time": text(f.Time),
		"hour": starlark.MakeInt(f.Hour), "minute": starlark.MakeInt(f.Minute),
		"open": starlark.NewBuiltin("open", func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			var name string
			if err := starlark.UnpackArgs(b.Name(), args, kwargs, "name", &name); err != nil {
				return nil, err
			}
			return starlark.Bool(f.Open(name)), nil
		}),
	})
}

// readAnswer reads what a script returns: nothing, a target, or a dictionary with the fields of an [Answer].
func readAnswer(v starlark.Value) (a Answer, err error) {
	switch v := v.(type) {
	case starlark.NoneType:
		return a, nil
	case starlark.String:
		a.Target = string(v)
	case *starlark.Dict:
		for _, item := range v.Items() {
			key, _ := starlark.AsString(item[0])
			if err := a.set(key, item[1]); err != nil {
				return Answer{}, err
			}
		}
	default:
		return a, fmt.Errorf("route returned a %s; return a target, a dictionary or None", v.Type())
	}
	return a, a.check()
}

// set sets one field of an answer.
func (a *Answer) set(key string, v starlark.Value) error {
	text, isText := starlark.AsString(v)
	switch {
	case key == "target" && isText:
		a.Target = text
	case key == "caller_id" && isText:
		a.CallerID = text
	case key == "ring_time":
		return starlark.AsInt(v, &a.RingTime)
	case key == "trunks":
		list, ok := v.(starlark.Iterable)
		if !ok {
			return errors.New("trunks is no list of names")
		}
		for each := range starlark.Elements(list) {
			name, _ := starlark.AsString(each)
			a.Trunks = append(a.Trunks, name)
		}
	default:
		return fmt.Errorf("the answer holds %q, which is not known or no text; target, caller_id, trunks and ring_time are", key)
	}
	return nil
}

// check reports what is wrong with an answer from outside.
func (a *Answer) check() error {
	if a.Target != "" {
		if _, err := readTarget(a.Target); err != nil {
			return fmt.Errorf("target %w", err)
		}
	}
	if a.RingTime < 0 || a.RingTime > 3600 {
		return fmt.Errorf("ring_time %d is out of range; give seconds, at most 3600", a.RingTime)
	}
	if len(a.Trunks) > 16 || slices.Contains(a.Trunks, "") {
		return errors.New("trunks are too many, or one has no name")
	}
	return nil
}
