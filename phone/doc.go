// Package phone is a telephone in Go: it registers, dials, answers, speaks, listens, dials digits, and hangs up.
//
//	p := &phone.Phone{URI: "sip:echo@example.org", Listen: []string{"udp://:5060"}}
//	err := p.Serve(ctx, func(ctx context.Context, call *phone.Call) error {
//		if err := call.Answer(ctx); err != nil {
//			return err
//		}
//		_, err := io.Copy(call, call)
//		return err
//	})
//
// A [Call] is an [io.ReadWriter] of signed 16-bit little-endian mono PCM at [Call.Rate]; what is read comes, and what is written goes, at the pace of
// the call. Methods wait, and end early when their context does.
//
// The room holds no protocol of its own: signalling is that of package stack and package dialog, credentials those of package digest,
// sound that of package session. It knows one line of sound a call, and no video.
//
// A call that is to take the place of another one (RFC 3891), as an attended transfer ends, comes with [Call.Replaced].
//
// RFC 3261 §8 to §15 as a user agent, with registration (§10.2); RFC 3262, RFC 3311 and RFC 4028 as package dialog keeps them; RFC 3264; RFC 4733; RFC 3550;
// RFC 5626 (several flows to the registrar, kept alive) and RFC 5627 (the public GRUU is the Contact of calls).
// Open: transfer (RFC 3515), secured media (RFC 3711) and ICE are not offered.
package phone
