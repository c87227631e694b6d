// Package tencent drives Tencent Cloud: CVM instances of one region as a rotation.Fleet, and Secrets Manager as the
// rotation.Shelf of a rotation.Ledger. It makes no decisions; package rotation does.
//
// Its one invariant: an error says no more than the provider did. Only codes of one table mean that a request had no
// effect; everything else, unknown codes included, is ambiguous. No error holds a password or a secret's value.
package tencent
