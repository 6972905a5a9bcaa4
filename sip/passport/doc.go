// Package passport proves who calls: signed tokens (PASSporT) in the Identity header of SIP, their certificates, and what a verifier answers.
//
// A [Signer] puts a token into a request, a [Verifier] judges those that are in one. The token of a call says from whom and to whom it goes, and in the form of
// SHAKEN how well the signer knows the caller ([Attestation]); one of the type div says that a call for one number went on to another. Only ES256 is known, as RFC 8225 §8
// wants it.
//
// RFC 8224 (Identity), RFC 8225 (PASSporT), RFC 8226 (certificates and their TNAuthList), RFC 8588 (shaken), RFC 8946 (div). Open: div tokens are judged and not signed, lists of revoked certificates, other
// types (rph, rcd), certificates that name a list of numbers by reference.
package passport
