
¤
š


:authorityshop.example

:path/upload

:methodPOST

:schemehttp


user-agentprobe/1

x-forwarded-protohttp
4
x-request-id$080203ec-c215-4269-8f1e-012e8b89bdc1
'
x-envoy-expected-rq-timeout-ms15000
first,second,third


x-checksum7f3a"ŠÌˆØÐœ÷À´

:status200

content-type
text/plain
"
x-envoy-upstream-service-time0
%
dateSat, 21 Nov 2026 23:15:22 GMT

serverenvoy
one two three


x-sum3"ŠÌˆØðþ™Ê&

	127.0.0.1«Ò
	127.0.0.1ÀÏ"&

	127.0.0.1êÿ
	127.0.0.1÷æ