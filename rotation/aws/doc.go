// Package aws drives AWS Secrets Manager: the rotation.Shelf of a rotation.Ledger, and the four steps in which Secrets
// Manager itself calls a rotation. It makes no decisions about machines; package rotation does.
//
// Its one invariant: a label of ours is never moved, only put where it is nowhere and removed from where it was read. So
// what a generation's label says is decided once, whoever else is at work. No error holds a secret's value.
package aws
