// Package rotation is what a rotation is: it stores a new password, resets the machines of the configured scope in
// batches, proves that the new password works and makes it the secret's current version.
//
// Its one invariant: every password that was ever sent to a machine is readable in the store at every moment, whatever
// crashed, timed out, was delivered twice or ran twice at once. All else follows from never forgetting.
//
// The package knows no provider. Machines are a [Fleet], the secret is a [Store], a login is a [Verifier] and time is a
// [Clock]; what differs between providers is data in [Terms].
package rotation
