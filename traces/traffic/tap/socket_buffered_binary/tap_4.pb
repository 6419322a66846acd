”&

	127.0.0.1«Ò
	127.0.0.1ÀÏ}
ŠÌˆØˆóâÀm
k
iPOST /upload HTTP/1.1
host: shop.example
user-agent: probe/1
transfer-encoding: chunked

6
first,
 
ŠÌˆØ‚ßÄ

7
second,
6
ŠÌˆØÈÚäÉ&
$
"6
third

0
x-checksum: 7f3a

¿
ŠÌˆØ¨ì§Ê®
«
¨HTTP/1.1 200 OK
content-type: text/plain
x-envoy-upstream-service-time: 0
date: Sat, 21 Nov 2026 23:15:22 GMT
server: envoy
transfer-encoding: chunked

4
one 

ŠÌˆØàÏ

	4
two 
.
ŠÌˆØğ¤–Õ

6
three

0
x-sum: 3

