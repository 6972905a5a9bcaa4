// What a test of a trunk may find, with the cause and the cure as whole sentences.

package carrier

import "github.com/sipwerk/sipwerk/service/trunk"

// remedy is what is wrong and what helps.
type remedy struct{ cause, cure string }

// The remedies.
var (
	remedyName       = remedy{"The name of the server stands for no address that can be reached by this transport.", "Check server and transport of the trunk, and the name servers of this machine."}
	remedySilence    = remedy{"Nobody answers at the address of the server.", "Check server, port and transport of the trunk, and whether a firewall lets them through."}
	remedyAway       = remedy{"The server is there but takes no calls now.", "Wait, or ask the provider."}
	remedyRealm      = remedy{"The provider asks for credentials in another realm than the trunk has.", "Set the realm of the trunk to the one that it asks for, or to * for any."}
	remedySecret     = remedy{"The provider does not accept user and secret.", "Check user, auth-user and secret of the trunk."}
	remedyDigest     = remedy{"The provider asks for credentials in a way that is not known here.", "Ask the provider for digest credentials with MD5 or SHA-256."}
	remedyForbidden  = remedy{"The provider forbids the registration.", "Check whether the user may register from this address, and whether it is locked."}
	remedyUser       = remedy{"The provider does not know the user.", "Check user and from-domain of the trunk."}
	remedyRefused    = remedy{"The provider refuses.", "Ask the provider what its answer means."}
	remedyUnusable   = remedy{"A call cannot go out by this trunk now.", "Mend what is said above, or wait until a line is free."}
	remedyUnsent     = remedy{"The INVITE cannot be sent.", "Check server and transport of the trunk, and codecs."}
	remedyUnanswered = remedy{"It rings, and nobody answers in time.", "Call a number that is answered."}
	remedyBusy       = remedy{"The trunk works; whoever was called is busy or does not want to talk.", "Call a number that somebody takes."}
	remedySound      = remedy{"The call was answered and no packet of sound came.", "Check whether a firewall lets the UDP ports of media.ports in, and whether advertise names the address that the provider sees."}
	remedyCaller     = remedy{"The provider forbids the call: the number that is shown, or the destination.", "Check numbers, default-caller-id and identity of the trunk, and which destinations the provider allows."}
	remedyNumber     = remedy{"The provider does not know the number as it was written.", "Check number-format, strip and prefix of the trunk."}
	remedyMedia      = remedy{"The provider takes none of the codecs, or not this protection of the sound.", "Check codecs and media of the trunk."}
	remedySignature  = remedy{"The provider does not accept the signature of the caller.", "Check stir-certificate, stir-key and stir-url of the trunk."}
)

// Sentences returns every cause and cure, and why a trunk takes no call, for those who translate them.
func Sentences() (all []string) {
	all = trunk.Reasons()
	for _, r := range []remedy{remedyName, remedySilence, remedyAway, remedyRealm, remedySecret, remedyDigest, remedyForbidden, remedyUser, remedyRefused,
		remedyUnusable, remedyUnsent, remedyUnanswered, remedyBusy, remedySound, remedyCaller, remedyNumber, remedyMedia, remedySignature} {
		all = append(all, r.cause, r.cure)
	}
	return all
}
