#!/usr/bin/perl
# Makes the signed messages of this folder with Mail::DKIM, an implementation that has nothing to do with ours, and the zone
# with their keys. The keys themselves are thrown away. Run it here: perl make.pl
use strict;
use warnings;
use MIME::Base64;
use Mail::DKIM::ARC::Signer;
use Mail::DKIM::PrivateKey;
use Mail::DKIM::Signature;
use Mail::DKIM::Signer;

my @zone = ('; Keys of the messages here, made by make.pl.');

sub key {
    my ($name, $bits) = @_;
    my $file = "/tmp/gatepost-vector-$$.pem";
    system("openssl genrsa -traditional -out $file $bits 2>/dev/null") == 0 or die "openssl genrsa";
    my $public = `openssl rsa -in $file -pubout -outform DER 2>/dev/null`;
    my $key = Mail::DKIM::PrivateKey->load(File => $file);
    unlink $file;
    my $text = "v=DKIM1; k=rsa; p=" . encode_base64($public, '');
    push @zone, "$name TXT " . join(' ', map { "\"$_\"" } unpack('(A200)*', $text));
    return $key;
}

my $message = join("\r\n",
    'Received: from one.example (one.example [192.0.2.1])',
    "\tby two.example; Mon, 1 Jun 2026 10:00:00 +0200",
    'From: "Ann  Author"   <ann@one.example>',
    'To: bob@two.example,',
    "\t carol\@two.example  ",
    'Subject:   A   message with   blanks',
    'Date: Mon, 1 Jun 2026 10:00:00 +0200',
    'Message-ID: <vector@one.example>',
    'X-Same: first',
    'X-Same: second',
    '',
    '  Leading blanks,  some   between,  and some at the end.  ',
    "\tA tab\tin a line\t",
    '',
    '.a line with a dot',
    'last line',
    '',
    ' ',
    '',
    '');

sub sign {
    my ($file, $key, %options) = @_;
    my $signer = Mail::DKIM::Signer->new(
        Algorithm => 'rsa-sha256', Method => 'relaxed/relaxed', Domain => 'one.example', Key => $key,
        Headers => 'x-same:x-same:x-same:message-id', %options);
    $signer->PRINT($message);
    $signer->CLOSE;
    write_file($file, $signer->signature->as_string . "\r\n" . $message);
}

sub write_file {
    my ($file, $content) = @_;
    open my $out, '>:raw', $file or die "$file: $!";
    print $out $content;
    close $out or die "$file: $!";
}

sub seal {
    my ($content, $key, $domain, $results) = @_;
    $content = "Authentication-Results: $domain; $results\r\n$content";
    my $sealer = Mail::DKIM::ARC::Signer->new(
        Algorithm => 'rsa-sha256', Domain => $domain, SrvId => $domain, Selector => 'arc', Key => $key, Chain => 'ar',
        Headers => 'from:to:subject:date:message-id');
    $sealer->PRINT($content);
    $sealer->CLOSE;
    die $sealer->{details} unless $sealer->as_string;
    return join("\r\n", $sealer->as_strings) . "\r\n" . $content;
}

my $large = key('large._domainkey.one.example', 2048);
for my $method ('simple/simple', 'simple/relaxed', 'relaxed/simple', 'relaxed/relaxed') {
    (my $name = $method) =~ tr{/}{-};
    sign("dkim-$name.eml", $large, Method => $method, Selector => 'large');
}
sign('dkim-4096.eml', key('huge._domainkey.one.example', 4096), Selector => 'huge');
sign('dkim-1024.eml', key('small._domainkey.one.example', 1024), Selector => 'small');
sign('dkim-768.eml', key('tiny._domainkey.one.example', 768), Selector => 'tiny');
sign('dkim-sha1.eml', $large, Selector => 'large', Algorithm => 'rsa-sha1');

my $first = key('arc._domainkey.one.example', 2048);
my $list = key('arc._domainkey.list.example', 2048);
my $sealed = seal($message, $first, 'one.example', "dmarc=pass (p=reject)\r\n header.from=one.example; spf=pass smtp.mailfrom=ann\@one.example");
write_file('arc-1.eml', $sealed);
# The list writes into the subject and below the text, and seals what it has made.
(my $changed = $sealed) =~ s/Subject:   A/Subject: [list] A/;
$changed .= "-- \r\nThe list\r\n";
write_file('arc-changed.eml', $changed);
write_file('arc-2.eml', seal($changed, $list, 'list.example', "arc=pass; dmarc=fail header.from=one.example"));

write_file('keys.zone', join("\n", @zone) . "\n");
